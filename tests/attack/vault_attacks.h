/* vault_attacks.h: attacks on what log-ins leave behind: somebody on this machine writes into the
 * vault, or a disk does. */
#ifndef VAULT_ATTACKS_H
#define VAULT_ATTACKS_H

#include "../unit/unit_store.h"

#include <jabiru/login.h>

#include <fcntl.h>
#include <sys/stat.h>

/* Leaves a vault, has it spoilt, and opens it again: 1 when it is believed. */
static int vault_spoilt(void (*spoil)(const char *path))
{
    store_folder folder;
    jab_vault *v;
    folder_make(&folder);
    assert_int_equal(jab_vault_file_new(&v, jab_cstr(folder.path), NULL, NULL, 0), 0);
    assert_int_equal(v->save(v->arg, JAB_STR("ann@example.org"), JAB_STR("floor")), 0);
    jab_vault_free(v);
    spoil(folder.path);
    int err = jab_vault_file_new(&v, jab_cstr(folder.path), NULL, NULL, 0);
    jab_vault_free(v);
    folder_remove(&folder);
    return err == 0;
}

static void open_to_others(const char *path)
{
    assert_int_equal(chmod(path, 0660), 0);
}

static int vault_that_others_write(void)
{
    return vault_spoilt(open_to_others);
}

/* The first byte of the row, behind a head of 23 bytes and the account. */
static void change_the_floor(const char *path)
{
    int fd = open(path, O_RDWR);
    assert_int_equal(pwrite(fd, "p", 1, 23 + 15), 1);
    close(fd);
}

static int vault_that_was_damaged(void)
{
    return vault_spoilt(change_the_floor);
}

#endif
