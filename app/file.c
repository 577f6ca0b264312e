/* file.c: small files read and written whole; see file.h. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int app_fd_read(app_text *out, int fd)
{
    char part[4096];
    ssize_t n;
    while ((n = read(fd, part, sizeof part)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (out->n + (size_t)n > APP_FILE_MAX)
            return -EFBIG;
        app_text_add(out, (jab_str){part, (size_t)n});
    }
    return 0;
}

/* Others than the owner may look into it or change it. Judged on the open
 * descriptor, so that nobody can swap the file in between. */
static int is_loose(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return 1;
    return S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
}

int app_file_read(app_text *out, const char *path, int secret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int result = secret && is_loose(fd) ? -EPERM : app_fd_read(out, fd);
    close(fd);
    return result;
}

static int write_all(int fd, jab_str content)
{
    while (content.n > 0) {
        ssize_t n = write(fd, content.p, content.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        content.p += n;
        content.n -= (size_t)n;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

int app_folders_make(const char *path)
{
    char *copy = app_copy(jab_cstr(path));
    int result = 0;
    for (char *slash = strchr(copy + 1, '/'); slash && result == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) < 0 && errno != EEXIST)
            result = -errno;
        *slash = '/';
    }
    free(copy);
    return result;
}

int app_file_replace(const char *path, jab_str content)
{
    app_text temporary = {0};
    int result = app_folders_make(path);
    if (result < 0)
        return result;
    app_text_fmt(&temporary, "%s.XXXXXX", path);
    int fd = mkostemp(temporary.p, O_CLOEXEC); /* 0600 by itself */
    if (fd < 0) {
        result = -errno;
    } else {
        result = write_all(fd, content);
        if (close(fd) < 0 && result == 0)
            result = -errno;
        if (result == 0 && rename(temporary.p, path) < 0)
            result = -errno;
        if (result < 0)
            unlink(temporary.p);
    }
    app_text_free(&temporary);
    return result;
}

char *app_path(const char *var, const char *fallback, const char *tail)
{
    app_text path = {0};
    const char *base = getenv(var);
    if (base && base[0] == '/') {
        app_text_fmt(&path, "%s/%s", base, tail);
        return path.p;
    }
    base = getenv("HOME");
    if (!base || base[0] != '/')
        return NULL;
    app_text_fmt(&path, "%s/%s/%s", base, fallback, tail);
    return path.p;
}
