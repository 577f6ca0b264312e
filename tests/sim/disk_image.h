/*
 * disk_image.h: files as a disk has them: what is durable, and what was
 * written since, which a loss of power keeps, drops, tears and reorders. Knows
 * nothing of SQLite; disk.c puts a VFS in front.
 *
 * Promises of the disk, as those of ext4, xfs and APFS: a file that was synced
 * has its bytes and its name; a name that was taken away may come back until
 * the folder is synced; nothing is promised about anything else.
 */
#ifndef SIM_DISK_IMAGE_H
#define SIM_DISK_IMAGE_H

#include "rng.h"

typedef struct image_bytes {
    unsigned char *p;
    size_t n, capacity;
} image_bytes;

/* A write, or a new length, that is not durable yet. */
typedef struct image_change {
    int truncates; /* 1: the file is `at` bytes long now */
    int lost;      /* 1: a sync failed; the disk will never have it (Linux forgets such pages) */
    size_t at, n;
    size_t data; /* where its bytes begin in image.data */
} image_change;

typedef struct image {
    image_bytes live;    /* what reading gives */
    image_bytes durable; /* what is on the disk for certain */
    image_change *changes;
    size_t changes_n, changes_capacity;
    image_bytes data;
    int holders; /* handles and names */
} image;

typedef struct image_name {
    char *name;
    image *now;     /* NULL: taken away */
    image *durable; /* NULL: not there yet */
} image_name;

typedef struct images {
    image_name *names;
    size_t names_n, names_capacity;
    size_t sector;
    sim_rng chance;
} images;

/* Frees everything; no image may be held by others. */
void images_fini(images *all);

/* The file of this name; NULL without one. */
image *images_find(const images *all, const char *name);

/* A new file; `name` NULL: one without a name. The caller holds it, until
 * image_let_go(). NULL when out of memory. */
image *images_create(images *all, const char *name);

/* Takes the name away; with `sync` this, and all that happened in the folder
 * before, is durable. Returns 0, or -1 when there is no such name. */
int images_delete(images *all, const char *name, int sync);

void image_hold(image *im);
void image_let_go(image *im);

/* Both return 0, or -1 when out of memory. */
int image_write(image *im, size_t at, const void *bytes, size_t n);
int image_truncate(image *im, size_t n);

/* Makes the file's bytes and its name durable. 0 or -1. */
int images_sync(images *all, image *im);

/* A sync that fails: some writes will never reach the disk, whatever is synced
 * later, though reading goes on giving them until the power goes. */
void images_sync_badly(images *all, image *im);

/* What the disk has after a loss of power. 0 or -1. */
int images_lose_power(images *all);

#endif
