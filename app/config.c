/* config.c: reads and edits config.ini; see config.h. */
#include "config.h"

#include "file.h"
#include "options.h"
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MAX_BYTES 198 /* inih cuts longer lines without a word */
#define SECTION        "account "

static const struct {
    const char *name;
    size_t at;
    const char *choices; /* NULL: anything */
} keys[] = {
    {"jid", offsetof(app_account, jid), NULL},
    {"host", offsetof(app_account, host), NULL},
    {"tls", offsetof(app_account, tls), "required|direct|off"},
    {"ca_file", offsetof(app_account, ca_file), NULL},
    {"pin", offsetof(app_account, pin), NULL},
    {"cert", offsetof(app_account, cert), NULL},
    {"key", offsetof(app_account, key), NULL},
    {"mechanism", offsetof(app_account, mechanism), NULL},
    {"resource", offsetof(app_account, resource), NULL},
    {"device", offsetof(app_account, device), NULL},
    {"proxy", offsetof(app_account, proxy), NULL},
    {"dane", offsetof(app_account, dane), "no|yes|required"},
    {"compress", offsetof(app_account, compress), "no|plain|anyway"},
    {"nameserver", offsetof(app_account, nameserver), NULL},
    {"password_file", offsetof(app_account, password_file), NULL},
    {"password_command", offsetof(app_account, password_command), NULL},
    {"bearer_token_file", offsetof(app_account, bearer_token_file), NULL},
};
#define N_KEYS (sizeof keys / sizeof keys[0])

/* What the handler needs while a file is read. */
struct reading {
    app_config *config;
    const char *path;
    app_text *why;
    jab_str rest; /* what inih has not asked for yet */
};

static char **value_at(app_account *account, size_t key)
{
    return (char **)((char *)account + keys[key].at);
}

const char *app_config_key(size_t i)
{
    return i < N_KEYS ? keys[i].name : NULL;
}

const char *app_config_value(const app_account *account, size_t i)
{
    return *(char *const *)((const char *)account + keys[i].at);
}

void app_config_set(app_account *account, const char *key, char *value)
{
    for (size_t i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].name, key) == 0)
            *value_at(account, i) = value;
}

char *app_config_path(void)
{
    return app_path("XDG_CONFIG_HOME", ".config", "jabiru/config.ini");
}

int app_config_name_ok(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n > APP_NAME_MAX)
        return 0;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && !strchr("._-@+", name[i]))
            return 0;
    return 1;
}

static int find_key(const char *name, app_text *why)
{
    const char *best = NULL;
    unsigned distance = APP_FAR;
    for (size_t i = 0; i < N_KEYS; i++)
        if (strcmp(keys[i].name, name) == 0)
            return (int)i;
    if (strcmp(name, "password") == 0) {
        app_text_z(why, "a password does not belong here; use password_file or password_command");
        return -1;
    }
    for (size_t i = 0; i < N_KEYS; i++)
        best = app_nearer(name, best, keys[i].name, &distance);
    app_text_fmt(why, "unknown key \"%s\"", name);
    if (best)
        app_text_fmt(why, "; did you mean \"%s\"?", best);
    return -1;
}

int app_config_check(const char *key, const char *value, app_text *why)
{
    int i = find_key(key, why);
    if (i < 0)
        return -1;
    if (keys[i].choices && !app_is_one_of(keys[i].choices, value)) {
        app_text_fmt(why, "%s = %s: one of %s is wanted", key, value, keys[i].choices);
        return -1;
    }
    if (strpbrk(value, "\r\n") || strstr(value, " ;") ||
        strlen(key) + strlen(value) + 4 > LINE_MAX_BYTES) {
        app_text_fmt(why, "%s: no line break, no \" ;\", and not over %d bytes", key,
                     LINE_MAX_BYTES);
        return -1;
    }
    return 0;
}

static app_account *find_account(const app_config *c, const char *name)
{
    for (size_t i = 0; i < c->n; i++)
        if (strcmp(c->accounts[i].name, name) == 0)
            return &c->accounts[i];
    return NULL;
}

static app_account *account_of(struct reading *r, const char *section)
{
    const char *name = section + strlen(SECTION);
    if (strncmp(section, SECTION, strlen(SECTION)) != 0 || !app_config_name_ok(name)) {
        app_text_fmt(r->why, "[%s]: a section is called [account NAME]", section);
        return NULL;
    }
    app_config *c = r->config;
    app_account *account = find_account(c, name);
    if (account)
        return account;
    c->accounts = app_realloc(c->accounts, (c->n + 1) * sizeof *c->accounts);
    account = &c->accounts[c->n++];
    *account = (app_account){.name = app_copy(jab_cstr(name))};
    return account;
}

static int set_common(struct reading *r, const char *key, const char *value)
{
    if (strcmp(key, "default") != 0) {
        app_text_fmt(r->why, "unknown key \"%s\" outside of an account", key);
        return 0;
    }
    free(r->config->standard);
    r->config->standard = app_copy(jab_cstr(value));
    return 1;
}

/* inih's handler: 1 is good, 0 stops at this line. */
static int on_line(void *user, const char *section, const char *key, const char *value)
{
    struct reading *r = user;
    if (r->why->n)
        return 0;
    if (section[0] == '\0')
        return set_common(r, key, value);
    app_account *account = account_of(r, section);
    if (!account || app_config_check(key, value, r->why) < 0)
        return 0;
    char **at = value_at(account, (size_t)find_key(key, r->why));
    free(*at);
    *at = app_copy(jab_cstr(value));
    return 1;
}

/* inih's reader, as fgets() behaves. */
static char *read_line(char *line, int size, void *stream)
{
    struct reading *r = stream;
    size_t n = 0;
    if (r->rest.n == 0)
        return NULL;
    while (n < r->rest.n && n + 1 < (size_t)size)
        if (r->rest.p[n++] == '\n')
            break;
    memcpy(line, r->rest.p, n);
    line[n] = '\0';
    r->rest.p += n;
    r->rest.n -= n;
    return line;
}

/* The next line of `rest`, with its line break. */
static jab_str next_line(jab_str *rest)
{
    const char *end = memchr(rest->p, '\n', rest->n);
    jab_str line = {rest->p, end ? (size_t)(end - rest->p) + 1 : rest->n};
    rest->p += line.n;
    rest->n -= line.n;
    return line;
}

/* The number of the first line that inih would cut, or 0. */
static int find_long_line(jab_str text)
{
    for (int number = 1; text.n > 0; number++)
        if (next_line(&text).n > LINE_MAX_BYTES)
            return number;
    return 0;
}

int app_config_parse(app_config *c, jab_str text, const char *path, app_text *why)
{
    app_text cause = {0};
    *c = (app_config){0};
    struct reading r = {.config = c, .path = path, .why = &cause, .rest = text};
    int line = find_long_line(text);
    if (line) {
        app_text_fmt(why, "%s:%d: a line may have %d bytes", path, line, LINE_MAX_BYTES);
        return -1;
    }
    line = ini_parse_stream(read_line, &r, on_line, &r);
    if (line != 0)
        app_text_fmt(why, "%s:%d: %s", path, line, cause.n ? cause.p : "not \"key = value\"");
    app_text_free(&cause);
    return line == 0 ? 0 : -1;
}

int app_config_load(app_config *c, const char *path, app_text *why)
{
    app_text text = {0};
    *c = (app_config){0};
    int result = app_file_read(&text, path, 0);
    if (result == -ENOENT || result == -ENOTDIR) {
        result = 0;
    } else if (result < 0) {
        app_text_fmt(why, "%s: %s", path, strerror(-result));
        result = -1;
    } else {
        result = app_config_parse(c, app_text_str(&text), path, why);
    }
    app_text_free(&text);
    return result;
}

void app_config_free(app_config *c)
{
    for (size_t i = 0; i < c->n; i++) {
        for (size_t key = 0; key < N_KEYS; key++)
            free(*value_at(&c->accounts[i], key));
        free(c->accounts[i].name);
    }
    free(c->accounts);
    free(c->standard);
    *c = (app_config){0};
}

const app_account *app_config_account(const app_config *c, const char *name)
{
    if (name)
        return find_account(c, name);
    if (c->standard)
        return find_account(c, c->standard);
    return c->n == 1 ? &c->accounts[0] : NULL;
}

static jab_str trim(jab_str s)
{
    while (s.n && isspace((unsigned char)s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && isspace((unsigned char)s.p[s.n - 1]))
        s.n--;
    return s;
}

static int is_header(jab_str line)
{
    line = trim(line);
    return line.n > 0 && line.p[0] == '[';
}

static int is_section_of(jab_str line, const char *name)
{
    app_text header = {0};
    app_text_fmt(&header, "[" SECTION "%s]", name);
    int same = jab_str_is(trim(line), header.p);
    app_text_free(&header);
    return same;
}

/* Whether a line says "key = ..."; *value is set. */
static int is_setting(jab_str line, const char *key, jab_str *value)
{
    const char *equals = memchr(line.p, '=', line.n);
    if (!equals || !jab_str_is(trim((jab_str){line.p, (size_t)(equals - line.p)}), key))
        return 0;
    *value = trim((jab_str){equals + 1, (size_t)(line.p + line.n - equals - 1)});
    return 1;
}

static int has_default(jab_str text)
{
    jab_str value;
    while (text.n > 0) {
        jab_str line = next_line(&text);
        if (is_header(line))
            return 0;
        if (is_setting(line, "default", &value))
            return 1;
    }
    return 0;
}

void app_config_add(app_text *out, jab_str text, const app_account *account)
{
    if (!has_default(text))
        app_text_fmt(out, "default = %s\n", account->name);
    app_text_add(out, text);
    if (out->n > 0 && out->p[out->n - 1] != '\n')
        app_text_char(out, '\n');
    app_text_fmt(out, "\n[" SECTION "%s]\n", account->name);
    for (size_t i = 0; i < N_KEYS; i++) {
        const char *value = app_config_value(account, i);
        if (value)
            app_text_fmt(out, "%s = %s\n", keys[i].name, value);
    }
}

void app_config_remove(app_text *out, jab_str text, const char *name)
{
    int in_head = 1, skipping = 0;
    jab_str value;
    while (text.n > 0) {
        jab_str line = next_line(&text);
        if (is_header(line)) {
            in_head = 0;
            skipping = is_section_of(line, name);
        }
        if (!skipping &&
            !(in_head && is_setting(line, "default", &value) && jab_str_is(value, name)))
            app_text_add(out, line);
    }
}

/* Whether the lines up to the next section have the key. */
static int section_has(jab_str text, const char *key)
{
    jab_str value;
    while (text.n > 0) {
        jab_str line = next_line(&text);
        if (is_header(line))
            return 0;
        if (is_setting(line, key, &value))
            return 1;
    }
    return 0;
}

static void put_setting(app_text *out, const char *key, const char *value)
{
    if (*value)
        app_text_fmt(out, "%s = %s\n", key, value);
}

void app_config_change(app_text *out, jab_str text, const char *name, const char *key,
                       const char *value)
{
    int inside = 0, dropping = 0, done = 0;
    jab_str before;
    while (text.n > 0) {
        jab_str line = next_line(&text);
        dropping = dropping && strchr(" \t", line.p[0]); /* a value may go on in the next line */
        if (is_header(line))
            inside = is_section_of(line, name);
        if (inside && is_setting(line, key, &before)) {
            put_setting(out, key, done ? "" : value);
            dropping = done = 1;
        }
        if (dropping)
            continue;
        app_text_add(out, line);
        if (out->p[out->n - 1] != '\n')
            app_text_char(out, '\n');
        if (inside && is_header(line) && !section_has(text, key))
            put_setting(out, key, value);
    }
}
