/* caps.c: XEP-0115 Entity Capabilities: the own hash in presence, and what the
 * hashes of others stand for. */
#include "ext/caps.h"

#include <jabiru/roster.h>

#include "base/check.h"
#include "base/mem.h"
#include "ext/ext.h"
#include "ext/table.h"
#include "ext/text.h"

/* One full address and the hash it announced. */
typedef struct caps_peer {
    jab_str key;
    jab_str set_key, hash, ver, node; /* of the last presence, in this block */
    jabi_caps_set *own;               /* what only this one said: its hash was wrong */
    int wanted;                       /* to be asked as soon as that is possible */
    uint64_t asked;                   /* serial of the question, 0: none */
} caps_peer;

typedef struct caps_state {
    char ver[32]; /* own, base64; empty until computed */
    jabi_table sets, peers;
    struct {
        uint64_t serial;
        jab_str jid; /* owned */
    } open[JAB_CAPS_QUERIES_MAX];
    size_t n_open;
    size_t wanted; /* peers that are */
    uint64_t serial;
    size_t evict; /* which set goes next */
    jabi_caps_kept kept;
} caps_state;

static const struct {
    const char *name;
    jabi_hash hash;
} hashes[] = {{"sha-1", JABI_SHA1}, {"sha-256", JABI_SHA256}, {"sha-512", JABI_SHA512}};

/* -- The own hash ----------------------------------------------------------- */

static int compute_own(jab_ext_ctx *x)
{
    caps_state *state = jab_ext_state(x);
    const jab_mem *mem = jab_ext_mem(x);
    size_t n;
    jab_str *features = jabi_disco_features(x, &n);
    jabi_buf ver;
    jabi_buf_init(&ver, mem, sizeof state->ver - 1);
    int err = features ? jabi_caps_hash_own(jab_ext_config(x), mem, features, n, &ver) : JAB_ENOMEM;
    if (err == 0)
        memcpy(state->ver, ver.p, ver.n);
    jabi_buf_fini(&ver);
    jabi_free(mem, features);
    return err;
}

jab_str jab_caps_ver(jab_session *s)
{
    jab_ext_ctx *x = jab_ext_find(s, &jabi_ext_caps);
    caps_state *state = jab_ext_state(x);
    if (!state->ver[0] && compute_own(x) < 0)
        return (jab_str){NULL, 0};
    return jab_cstr(state->ver);
}

int jabi_caps_is_own_node(jab_session *s, jab_str node)
{
    static const char prefix[] = JABI_CAPS_NODE "#";
    const size_t n = sizeof prefix - 1;
    if (node.n <= n || memcmp(node.p, prefix, n) != 0)
        return 0;
    return jab_str_eq((jab_str){node.p + n, node.n - n}, jab_caps_ver(s));
}

static int add_caps(jab_ext_ctx *x, jab_out *o)
{
    if (!jab_out_is_available(o))
        return 0;
    jab_str ver = jab_caps_ver(jab_ext_session(x));
    if (!ver.p)
        return JAB_ENOMEM;
    jab_out_child(o, NS_CAPS, "c");
    jab_out_attr(o, "hash", JAB_STR("sha-1"));
    jab_out_attr(o, "node", JAB_STR(JABI_CAPS_NODE));
    jab_out_attr(o, "ver", ver);
    jab_out_end(o);
    return 0;
}

/* -- Sets of features ------------------------------------------------------- */

static int is_too_large(const jab_xml *query)
{
    size_t n = 0;
    for (const jab_xml *f = jab_xml_child(query, NULL, "feature"); f;
         f = jab_xml_next_named(f, NULL, "feature"))
        n++;
    return n > JAB_CAPS_FEATURES_MAX;
}

static int share(jab_ext_ctx *x, jabi_caps_set *set)
{
    caps_state *state = jab_ext_state(x);
    if (jabi_table_get(&state->sets, set->key)) {
        jabi_free(jab_ext_mem(x), set);
        return 0;
    }
    if (state->sets.n >= JAB_CAPS_CACHE_MAX) {
        jab_str oldest = *state->sets.items[state->evict++ % state->sets.n];
        jabi_free(jab_ext_mem(x), jabi_table_take(&state->sets, oldest));
    }
    int err = jabi_table_put(&state->sets, x, set, JAB_CAPS_CACHE_MAX);
    if (err < 0)
        jabi_free(jab_ext_mem(x), set);
    return err;
}

/* -- Peers ------------------------------------------------------------------ */

static caps_peer *peer_new(const jab_mem *mem, jab_str jid, const jab_xml *c)
{
    jab_str hash = jab_xml_attr(c, "hash"), ver = jab_xml_attr(c, "ver");
    jab_str node = jab_xml_attr(c, "node");
    caps_peer *p = jabi_alloc(mem, sizeof *p + jid.n + hash.n + ver.n + node.n + 4);
    if (!p)
        return NULL;
    char *cursor = (char *)(p + 1);
    *p = (caps_peer){.key = jabi_put(&cursor, jid), .node = jabi_put(&cursor, node)};
    p->hash = jabi_put(&cursor, hash);
    cursor[-1] = ' '; /* the key of the set is "sha-1 <ver>" */
    p->ver = jabi_put(&cursor, ver);
    p->set_key = (jab_str){p->hash.p, hash.n + 1 + ver.n};
    return p;
}

static void set_wanted(caps_state *state, caps_peer *p, int wanted)
{
    state->wanted += (size_t)wanted;
    state->wanted -= (size_t)p->wanted;
    p->wanted = wanted;
}

static void peer_free(jab_ext_ctx *x, caps_peer *p)
{
    if (!p)
        return;
    set_wanted(jab_ext_state(x), p, 0);
    jabi_free(jab_ext_mem(x), p->own);
    jabi_free(jab_ext_mem(x), p);
}

static const jabi_caps_set *set_of(const caps_state *state, const caps_peer *p)
{
    return p->own ? p->own : jabi_table_get(&state->sets, p->set_key);
}

int jab_caps_has(jab_session *s, jab_str jid, jab_str feature)
{
    const caps_state *state = jabi_ext_state_in(s, &jabi_ext_caps);
    const caps_peer *p = jabi_table_get(&state->peers, jid);
    const jabi_caps_set *set = p ? set_of(state, p) : NULL;
    return set ? jabi_sorted_has(set->features, set->n, feature) : JAB_EAGAIN;
}

/* -- Asking ----------------------------------------------------------------- */

static int on_info(jab_ext_ctx *x, uint64_t serial, const jab_iq_reply *reply);

/* One question for each set: whoever else announces it waits for the answer. */
static int is_being_asked(const caps_state *state, const caps_peer *p)
{
    for (size_t i = 0; i < state->n_open; i++) {
        const caps_peer *other = jabi_table_get(&state->peers, state->open[i].jid);
        if (other && jab_str_eq(other->set_key, p->set_key))
            return 1;
    }
    return 0;
}

static caps_peer *next_wanted(caps_state *state)
{
    for (size_t i = 0; state->wanted > 0 && i < state->peers.n; i++) {
        caps_peer *p = (caps_peer *)(void *)state->peers.items[i];
        if (p->wanted && set_of(state, p))
            set_wanted(state, p, 0);
        if (p->wanted && !is_being_asked(state, p))
            return p;
    }
    return NULL;
}

/* XEP-0115 §6.2: asks about "node#ver". */
static int send_query(jab_ext_ctx *x, caps_peer *p)
{
    caps_state *state = jab_ext_state(x);
    const jab_mem *mem = jab_ext_mem(x);
    jab_str jid;
    if (jabi_strdup(mem, &jid, p->key) < 0)
        return JAB_ENOMEM;
    jabi_buf node;
    jabi_buf_init(&node, mem, 2 * JAB_CAPS_TEXT_MAX + 1);
    jabi_buf_add_str(&node, p->node);
    jabi_buf_add_char(&node, '#');
    jabi_buf_add_str(&node, p->ver);
    jab_out *o = jab_ext_iq(x, (jab_str){NULL, 0}, JAB_IQ_GET, on_info);
    jab_out_to(o, jab_jid_view(p->key));
    if (node.error)
        jab_out_fail(o, node.error);
    jab_out_child(o, NS_DISCO_INFO, "query");
    jab_out_attr(o, "node", jabi_buf_str(&node));
    jabi_buf_fini(&node);
    int r = jab_out_send(o, ++state->serial);
    if (r < 0) {
        jabi_free(mem, (char *)jid.p);
        return r;
    }
    p->asked = state->open[state->n_open].serial = state->serial;
    state->open[state->n_open++].jid = jid;
    set_wanted(state, p, 0);
    return 0;
}

/* Asks as many as may be asked at a time. What cannot be sent now stays
 * wanted; what never can does not hold up the others. */
static int ask_more(jab_ext_ctx *x)
{
    caps_state *state = jab_ext_state(x);
    while (state->n_open < JAB_CAPS_QUERIES_MAX) {
        caps_peer *p = next_wanted(state);
        int r = p ? send_query(x, p) : JAB_EAGAIN;
        if (r == JAB_ENOMEM)
            return r;
        if (r == JAB_EAGAIN || r == JAB_EOFFLINE)
            return 0;
        if (r < 0)
            set_wanted(state, p, 0);
    }
    return 0;
}

/* -- Learning --------------------------------------------------------------- */

static int hash_fits(jab_ext_ctx *x, const caps_peer *p, const jab_xml *query, int *fits)
{
    jabi_buf ver;
    int err = JAB_EPROTO;
    jabi_buf_init(&ver, jab_ext_mem(x), 2 * JABI_HASH_MAX);
    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
        if (jab_str_is(p->hash, hashes[i].name))
            err = jabi_caps_hash_query(jab_ext_mem(x), query, hashes[i].hash, &ver);
    *fits = err == 0 && jab_str_eq(jabi_buf_str(&ver), p->ver);
    jabi_buf_fini(&ver);
    return err == JAB_ENOMEM ? err : 0;
}

/* XEP-0115 §5.4: a set whose hash is right is everybody's; another one says
 * something about its sender only. */
static int learn(jab_ext_ctx *x, caps_peer *p, const jab_xml *query)
{
    caps_state *state = jab_ext_state(x);
    int fits;
    int err = hash_fits(x, p, query, &fits);
    if (err < 0)
        return err;
    jabi_caps_set *set = jabi_caps_set_read(jab_ext_mem(x), p->set_key, query);
    if (!set)
        return JAB_ENOMEM;
    fits = JAB_CHECK(CAPS_HASH, fits);
    if (fits)
        err = jabi_caps_set_keep(x, &state->kept, set);
    if (err < 0)
        jabi_free(jab_ext_mem(x), set);
    else if (fits)
        err = share(x, set);
    else
        p->own = set;
    if (err < 0)
        return err;
    jab_caps *ev = jab_ext_emit(x, JAB_EV_CAPS, sizeof *ev);
    if (ev) {
        ev->jid = jab_jid_view(jab_ext_text(x, p->key));
        ev->ver = jab_ext_text(x, p->ver);
        ev->verified = fits;
    }
    return 0;
}

static int on_info(jab_ext_ctx *x, uint64_t serial, const jab_iq_reply *reply)
{
    caps_state *state = jab_ext_state(x);
    size_t i = 0;
    while (i < state->n_open && state->open[i].serial != serial)
        i++;
    if (i == state->n_open)
        return 0;
    jab_str jid = state->open[i].jid;
    state->open[i] = state->open[--state->n_open];
    caps_peer *p = jabi_table_get(&state->peers, jid);
    jabi_free(jab_ext_mem(x), (char *)jid.p);
    int err = 0;
    int usable = jabi_reply_error(reply, NS_DISCO_INFO, "query") == 0;
    if (p && p->asked == serial && usable && !is_too_large(reply->payload))
        err = learn(x, p, reply->payload);
    return err < 0 ? err : ask_more(x);
}

/* Contacts whose presence this account asked for, and its other clients: a
 * question tells the other side that this resource is there. */
static int may_ask(jab_ext_ctx *x, const jab_stanza *st)
{
    jab_session *s = jab_ext_session(x);
    jab_jid from = jab_stanza_from(st);
    if (jab_stanza_via(st) & JAB_VIA_ROOM)
        return 0;
    if (jab_jid_bare_eq(&from, jab_session_jid(s)))
        return !jab_jid_eq(&from, jab_session_jid(s));
    const jab_roster_item *item = jab_roster_find(s, from.bare);
    return item && (item->subscription & JAB_SUB_TO) != 0;
}

static int is_proper(const jab_xml *c)
{
    jab_str hash = jab_xml_attr(c, "hash"), ver = jab_xml_attr(c, "ver");
    jab_str node = jab_xml_attr(c, "node");
    return hash.n > 0 && ver.n > 0 && node.n > 0 && hash.n <= JAB_CAPS_TEXT_MAX &&
           ver.n <= JAB_CAPS_TEXT_MAX && node.n <= JAB_CAPS_TEXT_MAX;
}

static int says_the_same(const caps_peer *p, const jab_xml *c)
{
    return jab_str_eq(p->node, jab_xml_attr(c, "node")) &&
           jab_str_eq(p->ver, jab_xml_attr(c, "ver")) &&
           jab_str_eq((jab_str){p->hash.p, p->hash.n}, jab_xml_attr(c, "hash"));
}

/* A set that an earlier process learned. */
static int recall(jab_ext_ctx *x, const caps_peer *p)
{
    jabi_caps_set *set = NULL;
    if (set_of(jab_ext_state(x), p))
        return 0;
    int err = jabi_caps_set_load(x, p->set_key, &set);
    return set ? share(x, set) : err;
}

static int remember(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *c)
{
    caps_state *state = jab_ext_state(x);
    jab_str jid = jab_stanza_from(st).full;
    caps_peer *p = peer_new(jab_ext_mem(x), jid, c);
    if (!p)
        return JAB_ENOMEM;
    peer_free(x, jabi_table_take(&state->peers, jid));
    int err = jabi_table_put(&state->peers, x, p, JAB_CAPS_PEERS_MAX);
    if (err < 0) {
        peer_free(x, p);
        return err == JAB_ELIMIT ? 0 : err;
    }
    err = recall(x, p);
    if (err < 0)
        return err;
    if (!set_of(state, p) && may_ask(x, st))
        set_wanted(state, p, 1);
    return p->wanted ? ask_more(x) : 0;
}

static int on_presence(jab_ext_ctx *x, const jab_stanza *st, const jab_xml *el)
{
    caps_state *state = jab_ext_state(x);
    jab_str jid = jab_stanza_from(st).full;
    const jab_xml *c = jab_xml_child(el, NS_CAPS, "c");
    caps_peer *known = jabi_table_get(&state->peers, jid);
    int is_available = !jab_stanza_type(st).p;
    if (is_available && c && known && says_the_same(known, c))
        return JAB_PASS;
    int err = 0;
    if (is_available && c && is_proper(c))
        err = remember(x, st, c);
    else
        peer_free(x, jabi_table_take(&state->peers, jid));
    return err < 0 ? err : JAB_PASS;
}

/* -- The extension ---------------------------------------------------------- */

/* The sets stay: what a hash stands for does not change with the stream. */
static void forget_peers(jab_ext_ctx *x)
{
    caps_state *state = jab_ext_state(x);
    for (size_t i = 0; i < state->peers.n; i++)
        peer_free(x, (caps_peer *)(void *)state->peers.items[i]);
    jabi_table_fini(&state->peers);
    state->kept.is_counted = 0;
    while (state->n_open > 0)
        jabi_free(jab_ext_mem(x), (char *)state->open[--state->n_open].jid.p);
}

static void stop(jab_ext_ctx *x)
{
    caps_state *state = jab_ext_state(x);
    forget_peers(x);
    for (size_t i = 0; i < state->sets.n; i++)
        jabi_free(jab_ext_mem(x), state->sets.items[i]);
    jabi_table_fini(&state->sets);
}

static const jab_route routes[] = {
    {JAB_STAGE_OBSERVE, JAB_PRESENCE, JAB_FROM_ANY, NULL, NULL, on_presence},
};

const jab_ext jabi_ext_caps = {
    .size = sizeof(jab_ext),
    .name = "caps",
    .spec = "XEP-0115 1.6.0",
    .features = JAB_LIST(NS_CAPS),
    .needs = JAB_LIST("disco", "roster"),
    .state_size = sizeof(caps_state),
    JAB_ROUTES(routes),
    .outgoing = add_caps,
    .offline = forget_peers,
    .stop = stop,
};
