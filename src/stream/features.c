/* features.c: which stream feature is negotiated next (RFC 6120 §4.3): rows
 * with the state that each requires and forbids, tried in order. */
#include "stream/stream.h"

static const jabi_feature *const rows[] = {
    &jabi_feature_starttls, &jabi_feature_sasl, &jabi_feature_compress,
    &jabi_feature_resume,   &jabi_feature_bind,
};

static int applies(const jabi_feature *row, const jabi_stream *str)
{
    return (str->state & row->required) == row->required && !(str->state & row->forbidden) &&
           (!row->wanted || row->wanted(str));
}

int jabi_features_next(jabi_stream *str)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const jabi_feature *row = rows[i];
        if (!applies(row, str))
            continue;
        const jab_xml *offer = jab_xml_child(str->features, row->ns, row->name);
        if (!offer && !row->missing)
            continue;
        str->active = row;
        int step = offer ? row->begin(str, offer) : row->missing(str);
        return jabi_stream_after_step(str, step);
    }
    return jabi_stream_broken(str, "unsupported-feature", "offers no way to go on with the log-in");
}
