/* disk_vfs.h: what disk.c and the VFS in front of it share. */
#ifndef SIM_DISK_VFS_H
#define SIM_DISK_VFS_H

#include <sqlite3.h>

#include "disk.h"
#include "disk_image.h"

#define DISK_SHM_MAX 64 /* regions of 32 KiB of a wal-index: 250,000 pages */

/* The wal-index of a file that is open; it is memory, and gone with the last handle. */
typedef struct disk_shm {
    struct disk_shm *next;
    const image *of;
    void *regions[DISK_SHM_MAX];
    int holders;
} disk_shm;

/* A file that SQLite has open. */
typedef struct disk_handle {
    sqlite3_file base;
    struct disk_handle *next;
    disk *d;
    image *im;
    int lock; /* SQLITE_LOCK_... */
    disk_shm *shm;
    unsigned shm_shared, shm_exclusive; /* a bit a lock */
} disk_handle;

struct disk {
    char name[32]; /* of the VFS */
    sqlite3_vfs vfs;
    images files;
    disk_handle *handles;
    disk_shm *shms;
    sqlite3_int64 now; /* moves with each look at it */
    uint64_t operations[4];
    disk_fault fault;
    unsigned kinds;
    uint64_t nth, times;
    int failed, dark;
};

/* Counts an operation of this kind; the fault that hits it. */
disk_fault disk_strike(disk *d, unsigned kind);

#endif
