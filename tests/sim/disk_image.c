/* disk_image.c: files as a disk has them, and what becomes of them when the power goes. */
#include "disk_image.h"

#include <stdlib.h>
#include <string.h>

static size_t below(images *all, size_t n)
{
    return (size_t)sim_below(&all->chance, n);
}

/* -- Bytes --------------------------------------------------------------------- */

/* Sets the length; new bytes are zero. */
static int bytes_resize(image_bytes *b, size_t n)
{
    if (n > b->capacity) {
        size_t capacity = n + n / 2;
        unsigned char *p = realloc(b->p, capacity);
        if (!p)
            return -1;
        b->p = p;
        b->capacity = capacity;
    }
    if (n > b->n)
        memset(b->p + b->n, 0, n - b->n);
    b->n = n;
    return 0;
}

static int bytes_put(image_bytes *b, size_t at, const void *from, size_t n)
{
    if (at + n > b->n && bytes_resize(b, at + n) < 0)
        return -1;
    if (n > 0)
        memcpy(b->p + at, from, n);
    return 0;
}

static int bytes_copy(image_bytes *to, const image_bytes *from)
{
    to->n = 0;
    return bytes_put(to, 0, from->p, from->n);
}

/* -- One file ------------------------------------------------------------------- */

void image_hold(image *im)
{
    im->holders++;
}

void image_let_go(image *im)
{
    if (!im || --im->holders > 0)
        return;
    free(im->live.p);
    free(im->durable.p);
    free(im->data.p);
    free(im->changes);
    free(im);
}

static image_change *add_change(image *im)
{
    if (im->changes_n == im->changes_capacity) {
        size_t capacity = im->changes_capacity ? 2 * im->changes_capacity : 16;
        image_change *changes = realloc(im->changes, capacity * sizeof *changes);
        if (!changes)
            return NULL;
        im->changes = changes;
        im->changes_capacity = capacity;
    }
    image_change *c = &im->changes[im->changes_n++];
    *c = (image_change){0};
    return c;
}

int image_write(image *im, size_t at, const void *bytes, size_t n)
{
    size_t data = im->data.n;
    if (bytes_put(&im->data, data, bytes, n) < 0 || bytes_put(&im->live, at, bytes, n) < 0)
        return -1;
    image_change *c = add_change(im);
    if (!c)
        return -1;
    c->at = at;
    c->n = n;
    c->data = data;
    return 0;
}

int image_truncate(image *im, size_t n)
{
    image_change *c = bytes_resize(&im->live, n) < 0 ? NULL : add_change(im);
    if (!c)
        return -1;
    c->truncates = 1;
    c->at = n;
    return 0;
}

static int apply(image *im, const image_change *c)
{
    if (c->truncates)
        return bytes_resize(&im->durable, c->at);
    return bytes_put(&im->durable, c->at, im->data.p + c->data, c->n);
}

/* -- Names ------------------------------------------------------------------------ */

static image_name *find_name(const images *all, const char *name)
{
    for (size_t i = 0; i < all->names_n; i++)
        if (strcmp(all->names[i].name, name) == 0)
            return &all->names[i];
    return NULL;
}

image *images_find(const images *all, const char *name)
{
    const image_name *found = find_name(all, name);
    return found ? found->now : NULL;
}

static image_name *add_name(images *all, const char *name)
{
    if (all->names_n == all->names_capacity) {
        size_t capacity = all->names_capacity ? 2 * all->names_capacity : 8;
        image_name *names = realloc(all->names, capacity * sizeof *names);
        if (!names)
            return NULL;
        all->names = names;
        all->names_capacity = capacity;
    }
    image_name *added = &all->names[all->names_n];
    *added = (image_name){strdup(name), NULL, NULL};
    all->names_n += added->name != NULL;
    return added->name ? added : NULL;
}

static void set_image(image **slot, image *im)
{
    image *old = *slot;
    if (im)
        image_hold(im);
    *slot = im;
    image_let_go(old);
}

image *images_create(images *all, const char *name)
{
    image *im = calloc(1, sizeof *im);
    if (!im)
        return NULL;
    im->holders = 1;
    if (name) {
        image_name *slot = find_name(all, name);
        slot = slot ? slot : add_name(all, name);
        if (!slot) {
            image_let_go(im);
            return NULL;
        }
        set_image(&slot->now, im);
    }
    return im;
}

static void sync_names(images *all)
{
    for (size_t i = 0; i < all->names_n; i++)
        set_image(&all->names[i].durable, all->names[i].now);
}

int images_delete(images *all, const char *name, int sync)
{
    image_name *found = find_name(all, name);
    if (!found || !found->now)
        return -1;
    set_image(&found->now, NULL);
    if (sync)
        sync_names(all);
    return 0;
}

void images_fini(images *all)
{
    for (size_t i = 0; i < all->names_n; i++) {
        image_let_go(all->names[i].now);
        image_let_go(all->names[i].durable);
        free(all->names[i].name);
    }
    free(all->names);
    *all = (images){0};
}

/* -- Syncing ----------------------------------------------------------------------- */

static void forget_changes(image *im)
{
    im->changes_n = 0;
    im->data.n = 0;
}

int images_sync(images *all, image *im)
{
    for (size_t i = 0; i < im->changes_n; i++)
        if (!im->changes[i].lost && apply(im, &im->changes[i]) < 0)
            return -1;
    forget_changes(im);
    for (size_t i = 0; i < all->names_n; i++)
        if (all->names[i].now == im)
            set_image(&all->names[i].durable, im);
    return 0;
}

void images_sync_badly(images *all, image *im)
{
    for (size_t i = 0; i < im->changes_n; i++)
        im->changes[i].lost |= !im->changes[i].truncates && below(all, 2) == 0;
}

/* -- Loss of power -------------------------------------------------------------------- */

/* What happens to writes that were not synced. Extremes find more than the mean does. */
typedef enum fate { FATE_NONE, FATE_ALL, FATE_FIRST, FATE_ANY, FATE_ANY_ORDER, FATES } fate;

/* A part of one sector, of a write. Torn: only its first bytes get there. */
static int apply_sector(images *all, image *im, const image_change *c, size_t from, size_t to)
{
    size_t n = to - from;
    size_t got = below(all, 8) == 0 ? below(all, n + 1) : n;
    return bytes_put(&im->durable, c->at + from, im->data.p + c->data + from, got);
}

static int apply_some_sectors(images *all, image *im, const image_change *c)
{
    if (c->truncates)
        return below(all, 2) ? apply(im, c) : 0;
    for (size_t from = 0; from < c->n;) {
        size_t end = ((c->at + from) / all->sector + 1) * all->sector - c->at;
        size_t to = end < c->n ? end : c->n;
        if (below(all, 2) && apply_sector(all, im, c, from, to) < 0)
            return -1;
        from = to;
    }
    return 0;
}

static void shuffle(images *all, image *im)
{
    for (size_t i = im->changes_n; i > 1; i--) {
        size_t k = below(all, i);
        image_change c = im->changes[i - 1];
        im->changes[i - 1] = im->changes[k];
        im->changes[k] = c;
    }
}

static int lose_power_of(images *all, image *im)
{
    fate f = (fate)below(all, FATES);
    size_t first = f == FATE_FIRST && im->changes_n ? below(all, im->changes_n + 1) : 0;
    if (f == FATE_ANY_ORDER)
        shuffle(all, im);
    for (size_t i = 0; i < im->changes_n; i++) {
        const image_change *c = &im->changes[i];
        int whole = f == FATE_ALL || i < first;
        int some = f == FATE_ANY || f == FATE_ANY_ORDER || (f == FATE_FIRST && i == first);
        if (c->lost)
            continue;
        if ((whole && apply(im, c) < 0) || (some && apply_some_sectors(all, im, c) < 0))
            return -1;
    }
    forget_changes(im);
    return bytes_copy(&im->live, &im->durable);
}

int images_lose_power(images *all)
{
    for (size_t i = 0; i < all->names_n; i++) {
        image_name *entry = &all->names[i];
        if (entry->now != entry->durable && below(all, 2))
            set_image(&entry->durable, entry->now);
        set_image(&entry->now, entry->durable);
        if (entry->now && lose_power_of(all, entry->now) < 0)
            return -1;
    }
    return 0;
}
