/* disk_vfs.c: the VFS that SQLite sees of a disk in memory. */
#include "disk_vfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static disk_handle *handle_of(sqlite3_file *file)
{
    return (disk_handle *)file;
}

static disk *disk_of(const sqlite3_vfs *vfs)
{
    return vfs->pAppData;
}

/* -- Bytes of a file ----------------------------------------------------------------- */

static int file_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
    const disk_handle *h = handle_of(file);
    if (disk_strike(h->d, DISK_READS))
        return SQLITE_IOERR_READ;
    size_t there = h->im->live.n > (size_t)at ? h->im->live.n - (size_t)at : 0;
    size_t got = there < (size_t)n ? there : (size_t)n;
    if (got > 0)
        memcpy(to, h->im->live.p + at, got);
    memset((char *)to + got, 0, (size_t)n - got);
    return got < (size_t)n ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int file_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    const disk_handle *h = handle_of(file);
    int was_dark = h->d->dark;
    disk_fault fault = disk_strike(h->d, DISK_WRITES);
    size_t part = (size_t)n;
    if (fault != DISK_NO_FAULT) /* some of it may get there */
        part = was_dark ? 0 : (size_t)sim_below(&h->d->files.chance, (uint64_t)n + 1);
    if (part > 0 && image_write(h->im, (size_t)at, from, part) < 0)
        return SQLITE_IOERR_NOMEM;
    static const int codes[] = {SQLITE_OK, SQLITE_IOERR_WRITE, SQLITE_FULL, SQLITE_IOERR_WRITE};
    return codes[fault];
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 n)
{
    const disk_handle *h = handle_of(file);
    if (disk_strike(h->d, DISK_WRITES))
        return SQLITE_IOERR_TRUNCATE;
    return image_truncate(h->im, (size_t)n) < 0 ? SQLITE_IOERR_NOMEM : SQLITE_OK;
}

static int file_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    const disk_handle *h = handle_of(file);
    if (disk_strike(h->d, DISK_SYNCS)) {
        if (!h->d->dark)
            images_sync_badly(&h->d->files, h->im);
        return SQLITE_IOERR_FSYNC;
    }
    return images_sync(&h->d->files, h->im) < 0 ? SQLITE_IOERR_NOMEM : SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    const disk_handle *h = handle_of(file);
    *size = (sqlite3_int64)h->im->live.n;
    return h->d->dark ? SQLITE_IOERR_FSTAT : SQLITE_OK;
}

/* -- Locks ------------------------------------------------------------------------------ */

/* The strongest lock that another handle has on the same file. */
static int others_lock(const disk_handle *h)
{
    int strongest = SQLITE_LOCK_NONE;
    for (const disk_handle *other = h->d->handles; other; other = other->next)
        if (other != h && other->im == h->im && other->lock > strongest)
            strongest = other->lock;
    return strongest;
}

static int file_lock(sqlite3_file *file, int lock)
{
    static const int bearable[] = {[SQLITE_LOCK_NONE] = SQLITE_LOCK_EXCLUSIVE,
                                   [SQLITE_LOCK_SHARED] = SQLITE_LOCK_RESERVED,
                                   [SQLITE_LOCK_RESERVED] = SQLITE_LOCK_SHARED,
                                   [SQLITE_LOCK_PENDING] = SQLITE_LOCK_SHARED,
                                   [SQLITE_LOCK_EXCLUSIVE] = SQLITE_LOCK_NONE};
    disk_handle *h = handle_of(file);
    if (lock <= h->lock)
        return SQLITE_OK;
    if (others_lock(h) > bearable[lock])
        return SQLITE_BUSY;
    h->lock = lock;
    return SQLITE_OK;
}

static int file_unlock(sqlite3_file *file, int lock)
{
    disk_handle *h = handle_of(file);
    if (lock < h->lock)
        h->lock = lock;
    return SQLITE_OK;
}

static int file_is_reserved(sqlite3_file *file, int *reserved)
{
    *reserved = others_lock(handle_of(file)) >= SQLITE_LOCK_RESERVED;
    return SQLITE_OK;
}

/* -- The wal-index ------------------------------------------------------------------------ */

static disk_shm *find_shm(disk *d, const image *im)
{
    for (disk_shm *shm = d->shms; shm; shm = shm->next)
        if (shm->of == im)
            return shm;
    disk_shm *made = calloc(1, sizeof *made);
    if (made) {
        made->of = im;
        made->next = d->shms;
        d->shms = made;
    }
    return made;
}

/* Makes a region. On a real disk it is part of a file, so that it needs room, too. */
static int grow_shm(disk_handle *h, int region, int size)
{
    if (disk_strike(h->d, DISK_WRITES))
        return SQLITE_IOERR_SHMSIZE;
    h->shm->regions[region] = calloc(1, (size_t)size);
    return h->shm->regions[region] ? SQLITE_OK : SQLITE_IOERR_NOMEM;
}

static int shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
    disk_handle *h = handle_of(file);
    *out = NULL;
    if (!h->shm) {
        h->shm = find_shm(h->d, h->im);
        if (!h->shm)
            return SQLITE_IOERR_NOMEM;
        h->shm->holders++;
    }
    if (region >= DISK_SHM_MAX)
        return SQLITE_IOERR_SHMMAP;
    if (!h->shm->regions[region] && extend) {
        int rc = grow_shm(h, region, size);
        if (rc != SQLITE_OK)
            return rc;
    }
    *out = h->shm->regions[region];
    return SQLITE_OK;
}

static int shm_lock(sqlite3_file *file, int first, int n, int flags)
{
    disk_handle *h = handle_of(file);
    unsigned mask = ((1u << n) - 1) << first, taken = 0;
    unsigned *own = flags & SQLITE_SHM_EXCLUSIVE ? &h->shm_exclusive : &h->shm_shared;
    if (flags & SQLITE_SHM_UNLOCK) {
        *own &= ~mask;
        return SQLITE_OK;
    }
    for (const disk_handle *other = h->d->handles; other; other = other->next)
        if (other != h && other->im == h->im)
            taken |= other->shm_exclusive | (flags & SQLITE_SHM_EXCLUSIVE ? other->shm_shared : 0);
    if (taken & mask)
        return SQLITE_BUSY;
    *own |= mask;
    return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *file)
{
    (void)file;
}

static void free_shm(disk *d, disk_shm *shm)
{
    disk_shm **at = &d->shms;
    while (*at != shm)
        at = &(*at)->next;
    *at = shm->next;
    for (size_t i = 0; i < DISK_SHM_MAX; i++)
        free(shm->regions[i]);
    free(shm);
}

static int shm_unmap(sqlite3_file *file, int delete)
{
    (void)delete;
    disk_handle *h = handle_of(file);
    h->shm_shared = h->shm_exclusive = 0;
    if (h->shm && --h->shm->holders == 0)
        free_shm(h->d, h->shm);
    h->shm = NULL;
    return SQLITE_OK;
}

/* -- Handles ----------------------------------------------------------------------------------- */

static int file_close(sqlite3_file *file)
{
    disk_handle *h = handle_of(file);
    disk_handle **at = &h->d->handles;
    shm_unmap(file, 0);
    while (*at != h)
        at = &(*at)->next;
    *at = h->next;
    image_let_go(h->im);
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int operation, void *arg)
{
    (void)file, (void)operation, (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *file)
{
    return (int)handle_of(file)->d->files.sector;
}

/* What SQLite takes for granted of a Unix disk: writing leaves the rest of a sector alone. */
static int file_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

/* -- Names ---------------------------------------------------------------------------------------
 */

/* The file to open, held, or NULL. */
static image *open_image(disk *d, const char *name, int flags)
{
    image *im = name ? images_find(&d->files, name) : NULL;
    if (d->dark || (im && flags & SQLITE_OPEN_EXCLUSIVE))
        return NULL;
    if (im) {
        image_hold(im);
        return im;
    }
    if (!(flags & SQLITE_OPEN_CREATE) || disk_strike(d, DISK_NAMES))
        return NULL;
    return images_create(&d->files, flags & SQLITE_OPEN_DELETEONCLOSE ? NULL : name);
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *got)
{
    disk *d = disk_of(vfs);
    disk_handle *h = handle_of(file);
    *h = (disk_handle){.d = d};
    h->im = open_image(d, name, flags);
    if (!h->im)
        return SQLITE_CANTOPEN;
    h->base.pMethods = &methods;
    h->next = d->handles;
    d->handles = h;
    if (got)
        *got = flags;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    disk *d = disk_of(vfs);
    if (disk_strike(d, DISK_NAMES))
        return SQLITE_IOERR_DELETE;
    return images_delete(&d->files, name, sync) < 0 ? SQLITE_IOERR_DELETE_NOENT : SQLITE_OK;
}

/* An empty file counts as none, as in SQLite's own VFS for Unix. */
static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *yes)
{
    disk *d = disk_of(vfs);
    const image *im = images_find(&d->files, name);
    *yes = im && (flags != SQLITE_ACCESS_EXISTS || im->live.n > 0);
    return d->dark ? SQLITE_IOERR_ACCESS : SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int n, char *out)
{
    (void)vfs;
    return snprintf(out, (size_t)n, "%s", name) < n ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_random(sqlite3_vfs *vfs, int n, char *out)
{
    sim_rng_fill(&disk_of(vfs)->files.chance, out, (size_t)n);
    return n;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    disk_of(vfs)->now += microseconds / 1000;
    return microseconds;
}

static int vfs_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *now)
{
    *now = ++disk_of(vfs)->now;
    return SQLITE_OK;
}

static int vfs_time(sqlite3_vfs *vfs, double *now)
{
    *now = (double)++disk_of(vfs)->now / 86400000.0;
    return SQLITE_OK;
}

/* The errno of the last fault, as SQLite's own VFS for Unix gives it. */
static int vfs_last_error(sqlite3_vfs *vfs, int n, char *out)
{
    (void)n, (void)out;
    return disk_of(vfs)->fault == DISK_FULL ? ENOSPC : EIO;
}

int disk_register(disk *d, const char *name)
{
    snprintf(d->name, sizeof d->name, "%s", name); /* SQLite keeps the pointer */
    d->vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = sizeof(disk_handle),
        .mxPathname = 512,
        .zName = d->name,
        .pAppData = d,
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_random,
        .xSleep = vfs_sleep,
        .xCurrentTime = vfs_time,
        .xGetLastError = vfs_last_error,
        .xCurrentTimeInt64 = vfs_time_ms,
    };
    return sqlite3_vfs_register(&d->vfs, 0) == SQLITE_OK ? 0 : -1;
}

void disk_unregister(disk *d)
{
    if (d->vfs.zName)
        sqlite3_vfs_unregister(&d->vfs);
    d->vfs.zName = NULL;
}
