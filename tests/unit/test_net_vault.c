/* test_net_vault.c: what a program's connection leaves for the next program's. */
#include "unit_store.h"

#include <jabiru/login.h>

#include "net/conn.h"
#include "net_client.h"

static net_cert good;
static net_server sv;
static net_fault last;

/* Goes online as a new program would; 1 when an earlier TLS session went on. */
static int comes_back(const store_folder *folder)
{
    jab_client *c;
    jab_vault *vault;
    assert_int_equal(jab_vault_file_new(&vault, jab_cstr(folder->path), NULL, NULL, 0), 0);
    jab_config cfg = net_config(sv.port, good.file);
    cfg.vault = vault;
    assert_int_equal(jab_client_new(&c, &cfg), 0);
    if (!net_await(c, JAB_EV_ONLINE, &last))
        fail_msg("%s", last.text);
    int resumed = c->tls->info.resumed;
    jab_client_free(c);
    jab_vault_free(vault);
    return resumed;
}

/* With direct TLS the handshake comes before anything else looks into the vault. */
static void the_next_program_resumes_by_direct_tls(void **state)
{
    (void)state;
    store_folder folder;
    folder_make(&folder);
    net_server_start(&sv, &good, TLS1_3_VERSION);
    sv.scripts[0] = sv.scripts[1] = sv.scripts[2] = SCRIPT("TLS", SERVER_LOGIN, "WAIT");
    assert_int_equal(comes_back(&folder), 0);
    assert_int_equal(comes_back(&folder), 1);
    assert_int_equal(comes_back(&folder), 1); /* by the session that the second one got */
    net_server_stop(&sv);
    folder_remove(&folder);
    assert_int_equal(sv.resumed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_program_resumes_by_direct_tls),
    };
    good = net_cert_make("DNS:example.org", "x", -60, 3600, EVP_sha256());
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    net_cert_free(&good);
    return failed;
}
