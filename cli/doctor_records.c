/* doctor_records.c: what a probe found, as records for --json. */
#include "doctor.h"

#define DAY 86400000

static void set_list(json_t *record, const char *key, const jab_probe_list *list)
{
    json_t *words = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(words, json_stringn(list->v[i].p, list->v[i].n));
    json_object_set_new(record, key, words);
}

static void set_bool(json_t *record, const char *key, int value)
{
    json_object_set_new(record, key, json_boolean(value));
}

static void record_srv(doctor *d, const jab_probe_srv *srv)
{
    json_t *record = app_record_new("srv");
    app_set_text(record, "service",
                 srv->direct_tls ? JAB_STR("_xmpps-client") : JAB_STR("_xmpp-client"));
    app_set_int(record, "priority", srv->priority);
    app_set_int(record, "weight", srv->weight);
    app_set_int(record, "port", srv->port);
    app_set_text(record, "host", srv->host);
    app_out_record(&d->c->out, record);
}

static json_t *possible_bindings(const jab_probe_tls *tls)
{
    json_t *words = json_array();
    if (tls->exporter)
        json_array_append_new(words, json_string("tls-exporter"));
    if (tls->unique)
        json_array_append_new(words, json_string("tls-unique"));
    if (tls->end_point)
        json_array_append_new(words, json_string("tls-server-end-point"));
    return words;
}

int64_t doctor_days_left(const jab_probe_cert *cert)
{
    int64_t left = cert->until - app_wall();
    return left < 0 ? -((-left + DAY - 1) / DAY) : left / DAY;
}

jab_str doctor_tls_word(int version)
{
    return version == 13 ? JAB_STR("1.3") : JAB_STR("1.2");
}

static void set_tls(json_t *record, const jab_probe_tls *tls)
{
    app_set_text(record, "tls", doctor_tls_word(tls->version));
    app_set_text(record, "cipher", tls->cipher);
    app_set_text(record, "alpn", tls->alpn);
    app_set_int(record, "tls_ms", tls->took);
    json_object_set_new(record, "bindings", possible_bindings(tls));
    app_set_text(record, "issuer", tls->cert.issuer);
    app_set_text(record, "names", tls->cert.names);
    app_set_text(record, "key_sha256", tls->cert.key_sha256);
    app_set_time(record, "not_before", tls->cert.from);
    app_set_time(record, "not_after", tls->cert.until);
    app_set_int(record, "days_left", doctor_days_left(&tls->cert));
    set_bool(record, "trusted", tls->cert.trusted);
    set_bool(record, "name_matches", tls->cert.matches);
    set_bool(record, "dane", tls->cert.by_dane);
}

static void record_endpoint(doctor *d, const jab_probe_target *t, const jab_probe_address *a)
{
    static const char *const states[] = {"untried", "failed", "connected"};
    json_t *record = app_record_new("endpoint");
    app_set_text(record, "host", t->host);
    app_set_int(record, "port", t->port);
    set_bool(record, "direct_tls", t->direct_tls);
    app_set_text(record, "address", a->address);
    app_set_int(record, "family", a->family);
    app_set_text(record, "tcp", jab_cstr(states[a->state]));
    app_set_text(record, "tcp_error", a->words);
    if (a->state == JAB_PROBE_CONNECTED)
        app_set_int(record, "tcp_ms", a->took);
    set_bool(record, "checked", a->checked);
    if (a->tls)
        set_tls(record, a->tls);
    if (a->fault.code) {
        app_set_text(record, "fault", jab_cstr(jab_errname(a->fault.code)));
        app_set_text(record, "condition", a->fault.condition);
        app_set_text(record, "text", a->fault.text);
    }
    app_out_record(&d->c->out, record);
}

static void record_offer(doctor *d, const jab_probe_address *a, const jab_probe_offer *o)
{
    json_t *record = app_record_new("offer");
    app_set_text(record, "address", a->address);
    set_bool(record, "secured", o != a->clear && a->tls != NULL);
    set_list(record, "mechanisms", &o->mechanisms);
    if (o->has_bindings)
        set_list(record, "bindings", &o->bindings);
    set_bool(record, "sasl2", o->has_sasl2);
    set_list(record, "sasl2_mechanisms", &o->sasl2);
    set_bool(record, "bind2", o->has_bind2);
    set_list(record, "bind2_features", &o->bind2);
    set_bool(record, "fast", o->has_fast);
    set_list(record, "fast_mechanisms", &o->fast);
    set_bool(record, "early_data", o->early_data);
    set_list(record, "upgrades", &o->upgrades);
    set_bool(record, "resumes_inline", o->resumes_inline);
    set_list(record, "compression", &o->compression);
    set_bool(record, "starttls", o->starttls);
    set_bool(record, "starttls_required", o->starttls_required);
    set_bool(record, "registration", o->registration);
    set_bool(record, "stream_management", o->sm);
    set_bool(record, "roster_versions", o->roster_versions);
    set_bool(record, "client_state", o->csi);
    if (o->max_bytes)
        app_set_int(record, "max_bytes", o->max_bytes);
    if (o->idle_seconds)
        app_set_int(record, "idle_seconds", o->idle_seconds);
    app_set_int(record, "ms", o->took);
    app_out_record(&d->c->out, record);
}

void doctor_records(doctor *d, const jab_probe_report *report)
{
    if (d->c->out.form != APP_OUT_JSON)
        return;
    for (size_t i = 0; i < report->dns.n; i++)
        record_srv(d, &report->dns.records[i]);
    for (size_t i = 0; i < report->n; i++) {
        const jab_probe_target *t = &report->targets[i];
        for (size_t k = 0; k < t->n; k++) {
            const jab_probe_address *a = &t->addresses[k];
            record_endpoint(d, t, a);
            if (a->clear)
                record_offer(d, a, a->clear);
            if (a->offer)
                record_offer(d, a, a->offer);
        }
    }
}
