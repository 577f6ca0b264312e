/* disk.c: a disk in memory that fails: the disk itself, its faults, and the names of its files. */
#include "disk_vfs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define START_MS INT64_C(212661504000000) /* 2026-12-01 in Julian milliseconds, SQLite's count */

/* -- Faults ---------------------------------------------------------------------- */

static int place_of(unsigned kind)
{
    return __builtin_ctz(kind);
}

disk_fault disk_strike(disk *d, unsigned kind)
{
    d->operations[place_of(kind)]++;
    if (d->dark)
        return DISK_POWER;
    if (!(d->kinds & kind) || d->times == 0)
        return DISK_NO_FAULT;
    if (d->nth > 1) {
        d->nth--;
        return DISK_NO_FAULT;
    }
    if (d->times != DISK_LASTING)
        d->times--;
    d->failed = 1;
    d->dark = d->fault == DISK_POWER;
    return d->fault;
}

void disk_fail_at(disk *d, disk_fault fault, unsigned kinds, uint64_t nth, uint64_t times)
{
    d->fault = fault;
    d->kinds = kinds;
    d->nth = nth;
    d->times = times;
    d->failed = 0;
}

void disk_heal(disk *d)
{
    d->times = 0;
}

uint64_t disk_operations(const disk *d, unsigned kinds)
{
    uint64_t sum = 0;
    for (unsigned kind = 1; kind < DISK_ANY; kind <<= 1)
        sum += kinds & kind ? d->operations[place_of(kind)] : 0;
    return sum;
}

int disk_has_failed(const disk *d)
{
    return d->failed;
}

int disk_power_cycle(disk *d)
{
    if (d->handles || images_lose_power(&d->files) < 0)
        return -1;
    d->dark = 0;
    d->times = 0;
    return 0;
}

/* -- Files ------------------------------------------------------------------------- */

int disk_rot(disk *d, const char *path, size_t at, size_t n)
{
    image *im = images_find(&d->files, path);
    if (!im || at + n > im->live.n || im->live.n != im->durable.n)
        return -1;
    for (size_t i = at; i < at + n; i++)
        im->durable.p[i] = im->live.p[i] = (unsigned char)~im->live.p[i];
    return 0;
}

int64_t disk_length(const disk *d, const char *path)
{
    const image *im = images_find(&d->files, path);
    return im ? (int64_t)im->live.n : -1;
}

const char *disk_name(const disk *d, size_t nth)
{
    for (size_t i = 0; i < d->files.names_n; i++)
        if (d->files.names[i].now && nth-- == 0)
            return d->files.names[i].name;
    return NULL;
}

static int copy_file(disk *to, const image_name *from)
{
    image *im = images_create(&to->files, from->name);
    if (!im)
        return -1;
    int rc = image_write(im, 0, from->now->live.p, from->now->live.n);
    if (rc == 0)
        rc = images_sync(&to->files, im);
    image_let_go(im);
    return rc;
}

disk *disk_copy(const disk *d, uint64_t seed)
{
    disk *copy = disk_new(seed);
    for (size_t i = 0; copy && i < d->files.names_n; i++)
        if (d->files.names[i].now && copy_file(copy, &d->files.names[i]) < 0) {
            disk_free(copy);
            return NULL;
        }
    return copy;
}

/* -- The disk ----------------------------------------------------------------------- */

disk *disk_new(uint64_t seed)
{
    disk *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->files.chance = (sim_rng){seed};
    d->files.sector = sim_chance(&d->files.chance, 500) ? 512 : 4096;
    d->now = START_MS;
    return d;
}

void disk_free(disk *d)
{
    if (!d)
        return;
    disk_unregister(d);
    images_fini(&d->files);
    free(d);
}
