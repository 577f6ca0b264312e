/*
 * machine.c: what a client's process stands on: its store, kept over the ends of processes, in
 * memory or in SQLite on a disk that fails.
 */
#include "sim.h"

#include <stdlib.h>

#define PATH "/jabiru.db"

/* SQLite keeps the pointer. */
static const char *name_of(const sim_client *c)
{
    static const char *const names[SIM_CLIENTS_MAX] = {"sim0", "sim1", "sim2"};
    return names[c->index];
}

static void plug_in(sim_client *c, disk *d)
{
    if (!d || disk_register(d, name_of(c)) < 0)
        abort();
    c->sqlite_disk = d;
}

void sim_machine_init(sim_client *c)
{
    if (c->plan->store == SIM_STORE_MEMORY && jab_store_memory(&c->disk, &c->disk_mem.mem) < 0)
        abort();
    if (c->plan->store == SIM_STORE_SQLITE)
        plug_in(c, disk_new(sim_rand(&c->rng)));
}

static int open_sqlite(sim_client *c)
{
    char words[200] = "";
    int err = jab_store_open(&c->disk, JAB_STORE_FILE(.path = PATH, .vfs = name_of(c),
                                                      .mem = &c->disk_mem.mem, .words = words,
                                                      .words_size = sizeof words));
    if (err < 0 || words[0])
        SIM_NOTE(c->w, err, "c%u opens its store: %s %s", c->index, jab_errname(err), words);
    if (words[0] && err >= 0)
        sim_violate(c->w, "c%u: %s", c->index, words);
    return err;
}

/* What the session is given; *out NULL without a store. 0 or < 0. */
int sim_machine_open(sim_client *c, jab_store **out)
{
    *out = NULL;
    if (c->plan->store == SIM_NO_STORE)
        return 0;
    if (c->plan->store == SIM_STORE_SQLITE && !c->disk) {
        int err = open_sqlite(c);
        if (err < 0)
            return err;
    }
    *out = sim_store_open(&c->store, c->disk);
    return 0;
}

/* A process that is gone writes nothing more, but what it wrote is there. */
static void end_process(sim_client *c)
{
    disk_fail_at(c->sqlite_disk, DISK_POWER, DISK_ANY, 1, DISK_LASTING);
    jab_store_free(c->disk);
    c->disk = NULL;
    disk *after = disk_copy(c->sqlite_disk, sim_rand(&c->rng));
    disk_free(c->sqlite_disk);
    plug_in(c, after);
}

void sim_machine_killed(sim_client *c, int power)
{
    if (c->plan->store == SIM_STORE_MEMORY)
        c->disk->table->rollback(c->disk);
    if (c->plan->store != SIM_STORE_SQLITE || !c->disk)
        return;
    if (!power) {
        end_process(c);
        return;
    }
    c->lost_power = 1; /* of a commit that failed some may be there now */
    disk_fail_at(c->sqlite_disk, DISK_POWER, DISK_ANY, 1, DISK_LASTING);
    jab_store_free(c->disk);
    c->disk = NULL;
    if (disk_power_cycle(c->sqlite_disk) < 0)
        abort();
    disk_heal(c->sqlite_disk);
}

/* `how`: which operation from now fails, and in which way. */
void sim_machine_fail(sim_client *c, int64_t how, int64_t until)
{
    c->heal_at = until;
    if (c->plan->store == SIM_STORE_SQLITE) {
        c->lost_power = 1;
        disk_fail_at(c->sqlite_disk, how & 1 ? DISK_FULL : DISK_ERROR,
                     how & 2 ? DISK_WRITES | DISK_SYNCS : DISK_ANY, (uint64_t)how + 1,
                     how & 4 ? 1 : DISK_LASTING);
    } else {
        c->store.fail_in = (uint64_t)how + 1;
    }
}

void sim_machine_heal(sim_client *c)
{
    c->heal_at = JAB_NEVER;
    if (c->sqlite_disk)
        disk_heal(c->sqlite_disk);
    sim_store_heal(&c->store);
}

void sim_machine_fini(sim_client *c)
{
    jab_store_free(c->disk);
    c->disk = NULL;
    disk_free(c->sqlite_disk);
    c->sqlite_disk = NULL;
    if (c->disk_mem.live && !c->w->violation[0])
        sim_violate(c->w, "c%u: %zu blocks of the store leaked", c->index, c->disk_mem.live);
}
