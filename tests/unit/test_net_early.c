/* test_net_early.c: a program whose log-in leaves with the first bytes of TLS, by what an
 * earlier program left in the vault. */
#include "unit.h"

#include <jabiru/login.h>

#include "net/conn.h"
#include "net_client.h"
#include "sasl2_peer.h"

#define FEATURES                                                                                   \
    "<authentication xmlns='urn:xmpp:sasl:2'><mechanism>SCRAM-SHA-1</mechanism><inline>"           \
    "<fast xmlns='urn:xmpp:fast:0' tls-0rtt='true'><mechanism>HT-SHA-256-ENDP</mechanism>"         \
    "</fast></inline></authentication>"

static net_cert good;
static net_server sv;
static net_fault last;
static vault_row row;

static jab_config config(int direct)
{
    jab_config cfg = net_config(sv.port, good.file);
    row.vault =
        (jab_vault){.size = sizeof row.vault, .arg = &row, .load = row_load, .save = row_save};
    cfg.vault = &row.vault;
    cfg.tls = direct ? JAB_TLS_DIRECT : JAB_TLS_REQUIRED;
    return cfg;
}

static void log_in_once(int direct)
{
    jab_client *c;
    jab_config cfg = config(direct);
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    assert_true(net_await(c, JAB_EV_ONLINE, &last));
    jab_client_free(c);
}

/* As a log-in by SCRAM would have left it. */
static void leave_token(void)
{
    jabi_memory m;
    jabi_buf bytes;
    jabi_memory_init(&m, jabi_mem_default(), NULL, JAB_STR("juliet@example.org"));
    assert_int_equal(jabi_memory_unpack(&m, (jab_str){row.bytes, row.n}), 0);
    assert_true(m.texts[JABI_MEMORY_TLS_SESSION].n > 0);
    assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_TOKEN, JAB_STR("t0ken")), 0);
    assert_int_equal(jabi_memory_set(&m, JABI_MEMORY_TOKEN_MECHANISM, JAB_STR("HT-SHA-256-ENDP")),
                     0);
    assert_int_equal(
        jabi_memory_set(
            &m, JABI_MEMORY_BEFORE,
            JAB_STR("<features xmlns='http://etherx.jabber.org/streams'>" FEATURES "</features>")),
        0);
    jabi_buf_init(&bytes, jabi_mem_default(), JAB_VAULT_MAX);
    assert_int_equal(jabi_memory_pack(&m, &bytes), 0);
    row_put(&row, jabi_buf_str(&bytes));
    jabi_buf_fini(&bytes);
    jabi_memory_fini(&m);
}

/* XEP-0484 §3.3: the server's proof, bound to its certificate (RFC 5929 §4). */
static void write_success(char *out, size_t size)
{
    unsigned char text[9 + 32] = "Responder", proof[JABI_HASH_MAX];
    unsigned n = 0;
    jabi_buf b;
    X509_digest(good.cert, EVP_sha256(), text + 9, &n);
    assert_int_equal(jabi_hmac(JABI_SHA256, "t0ken", 5, text, sizeof text, proof), 0);
    jabi_buf_init(&b, jabi_mem_default(), 256);
    jabi_base64_encode(&b, proof, 32);
    snprintf(out, size,
             "S:<success xmlns='urn:xmpp:sasl:2'><additional-data>%.*s</additional-data>"
             "<authorization-identifier>juliet@example.org</authorization-identifier></success>",
             (int)b.n, b.p);
    jabi_buf_fini(&b);
}

static int count(const char *text)
{
    int n = 0;
    for (const char *p = sv.got; (p = strstr(p, text)); p++)
        n++;
    return n;
}

/* A second program at a server that does this with early data; `forgets`: and knows no session. */
static void come_back(int early, int forgets, int direct)
{
    static const char *const starttls[] = {
        "C:<stream:stream",
        "S:" PEER_HEADER
        "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>",
        "C:<starttls", "S:<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"};
    char success[400];
    memset(&row, 0, sizeof row);
    write_success(success, sizeof success);
    const char *const first[] = {"TLS", SERVER_LOGIN, forgets ? "KEYS" : "WAIT", NULL};
    const char *const then[] = {"TLS",
                                "C:</authenticate>",
                                "S:" PEER_HEADER "<stream:features>" FEATURES "</stream:features>",
                                success,
                                "S:" PEER_BIND,
                                "BIND",
                                "WAIT",
                                NULL};
    const char *all[2][16] = {{0}};
    size_t n = direct ? 0 : sizeof starttls / sizeof *starttls;
    for (size_t i = 0; i < 2; i++) {
        memcpy(all[i], starttls, n * sizeof *starttls);
        const char *const *steps = i ? then : first;
        for (size_t k = 0; steps[k]; k++)
            all[i][n + k] = steps[k];
    }
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.early = early;
    SSL_CTX_set_options(sv.ctx, SSL_OP_NO_ANTI_REPLAY); /* the counter does that here */
    sv.scripts[0] = all[0];
    sv.scripts[1] = all[1];
    log_in_once(direct);
    leave_token();
    sv.n_early = 0;
    jab_config cfg = config(direct);
    cfg.mechanisms = (jab_str){NULL, 0};
    cfg.login = JAB_LOGIN_EARLY_DATA;
    jab_client *c;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    if (!net_await(c, JAB_EV_ONLINE, &last))
        fail_msg("%s", last.text);
    assert_int_equal(c->tls->info.resumed, !forgets);
    assert_int_equal(jab_session_login(jab_client_session(c)).token, 1);
    jab_client_free(c);
    net_server_stop(&sv);
}

static void the_log_in_leaves_with_the_first_bytes(void **state)
{
    (void)state;
    for (int direct = 0; direct < 2; direct++) {
        come_back(1, 0, direct);
        assert_true(sv.n_early > 200);
        assert_int_equal(count("<authenticate"), 1);
        assert_int_equal(count("<fast xmlns='urn:xmpp:fast:0' count='1'/>"), 1);
    }
}

/* RFC 8446 §4.2.10: what was not taken is sent again, under the keys of the handshake. */
static void what_is_not_taken_is_sent_again(void **state)
{
    (void)state;
    for (int forgets = 0; forgets < 2; forgets++) {
        come_back(forgets ? 1 : 2, forgets, 1);
        assert_int_equal(sv.n_early, 0);
        assert_int_equal(count("<authenticate"), 1);
    }
}

static void nothing_is_early_where_the_session_takes_none(void **state)
{
    (void)state;
    come_back(0, 0, 1);
    assert_int_equal(count("<authenticate"), 1);
    assert_int_equal(count("count="), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_in_leaves_with_the_first_bytes),
        cmocka_unit_test(what_is_not_taken_is_sent_again),
        cmocka_unit_test(nothing_is_early_where_the_session_takes_none),
    };
    good = net_cert_make("DNS:example.org", "x", -60, 3600, EVP_sha256());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    net_cert_free(&good);
    return failed;
}
