/*
 * file.h: small files read whole, written whole, and judged by their mode.
 */
#ifndef JABIRU_APP_FILE_H
#define JABIRU_APP_FILE_H

#include "text.h"

#define APP_FILE_MAX (1024 * 1024)

/* Appends the content of a file. Returns 0; -errno; -EFBIG above APP_FILE_MAX;
 * -EPERM when `secret` is 1 and others than the owner may read or write it. */
int app_file_read(app_text *out, const char *path, int secret);

/* Appends what a descriptor still has, as app_file_read() does. */
int app_fd_read(app_text *out, int fd);

/* Puts a file in place whole or not at all: a temporary one beside it with
 * mode 0600, then a rename. Missing folders are made (0700). Returns 0 or -errno. */
int app_file_replace(const char *path, jab_str content);

/* Makes the folders above a file that are not there yet (0700). 0 or -errno. */
int app_folders_make(const char *path);

/* "$VAR/tail", or "$HOME/fallback/tail" when VAR is unset or not absolute; to
 * be freed; NULL without a home. */
char *app_path(const char *var, const char *fallback, const char *tail);

#endif
