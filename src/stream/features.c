/* features.c: which stream feature is negotiated next (RFC 6120 §4.3): rows
 * with the state that each requires and forbids, tried in order. */
#include "stream/stream.h"

static const jabi_feature *const rows[] = {
    &jabi_feature_starttls, &jabi_feature_sasl2,  &jabi_feature_sasl,
    &jabi_feature_compress, &jabi_feature_resume, &jabi_feature_bind,
};

static int applies(const jabi_feature *row, const jabi_stream *str)
{
    return (str->state & row->required) == row->required && !(str->state & row->forbidden) &&
           (!row->wanted || row->wanted(str));
}

const jabi_feature *jabi_features_find(const jabi_stream *str, const jab_xml *features,
                                       const jab_xml **offer)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        *offer = jab_xml_child(features, rows[i]->ns, rows[i]->name);
        if (applies(rows[i], str) && (*offer || rows[i]->missing))
            return rows[i];
    }
    return NULL;
}

int jabi_features_next(jabi_stream *str)
{
    if (str->state & JABI_BOUND)
        return jabi_stream_after_step(str, JABI_STEP_READY);
    const jab_xml *offer;
    const jabi_feature *row = jabi_features_find(str, str->features, &offer);
    if (!row)
        return jabi_stream_broken(str, "unsupported-feature",
                                  "offers no way to go on with the log-in");
    str->active = row;
    return jabi_stream_after_step(str, offer ? row->begin(str, offer) : row->missing(str));
}
