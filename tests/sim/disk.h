/*
 * disk.h: a disk in memory that fails, as an SQLite VFS. Nothing of it touches
 * the real file system or the clock: one seed, one run.
 *
 *     disk *d = disk_new(seed);
 *     disk_register(d, "disk");
 *     jab_store_open(&st, JAB_STORE_FILE(.path = "/x.db", .vfs = "disk"));
 *     disk_fail_at(d, DISK_POWER, DISK_ANY, 17, DISK_LASTING);
 *     ... until the 17th operation from here on, which fails, and all after it ...
 *     jab_store_free(st);
 *     disk_power_cycle(d);
 *     ... what an opening finds now is what the disk had synced, and bits of the rest ...
 *     disk_free(d);
 *
 * What a disk promises is said in disk_image.h.
 */
#ifndef SIM_DISK_H
#define SIM_DISK_H

#include <stddef.h>
#include <stdint.h>

typedef struct disk disk;

/* Kinds of operations; they are counted, and can fail. */
enum {
    DISK_READS = 1,
    DISK_WRITES = 2, /* of bytes, of a new length; memory shared between connections */
    DISK_SYNCS = 4,
    DISK_NAMES = 8, /* a file is made, or deleted */
    DISK_ANY = 15,
};

typedef enum disk_fault {
    DISK_NO_FAULT,
    DISK_ERROR, /* SQLITE_IOERR_...; a failed write may have written some, a failed sync loses some
                 */
    DISK_FULL,  /* SQLITE_FULL for what is written; some of it may be */
    DISK_POWER, /* everything fails, until disk_power_cycle() */
} disk_fault;

#define DISK_LASTING UINT64_MAX

/* An empty disk; NULL when out of memory. */
disk *disk_new(uint64_t seed);

/* Unregisters it, too. All its files are closed. NULL is fine. */
void disk_free(disk *d);

/* Makes it known to SQLite under this name, which outlives it. 0 or -1. */
int disk_register(disk *d, const char *name);
void disk_unregister(disk *d);

/* The nth operation of these kinds from now (1: the next) fails, and
 * `times` - 1 more of them after it. Replaces what was said before. */
void disk_fail_at(disk *d, disk_fault fault, unsigned kinds, uint64_t nth, uint64_t times);

/* Nothing fails any more: there is room again. Power does not come back by this. */
void disk_heal(disk *d);

/* How many operations of these kinds there were. */
uint64_t disk_operations(const disk *d, unsigned kinds);

/* Whether a fault has struck since disk_fail_at(). */
int disk_has_failed(const disk *d);

/* Power goes, if it has not gone, and comes back: what was not synced is kept,
 * dropped, torn or out of order, as the seed has it. All files are closed.
 * Returns 0, or -1 when out of memory. */
int disk_power_cycle(disk *d);

/* Another disk with the same files, of which all that is there is durable, and
 * another seed; not registered. NULL when out of memory. All files are closed. */
disk *disk_copy(const disk *d, uint64_t seed);

/* Turns over the bits of n bytes of a file. 0, or -1 if it is not that long. */
int disk_rot(disk *d, const char *path, size_t at, size_t n);

/* The length of a file; -1: there is none. */
int64_t disk_length(const disk *d, const char *path);

/* The name of the nth file that is there (from 0); NULL behind the last. */
const char *disk_name(const disk *d, size_t nth);

#endif
