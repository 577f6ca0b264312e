/* err.c: names and words of errors and stages, from one list each. */
#include <jabiru/base.h>

typedef struct error_row {
    int code;
    int exit;
    const char *name;
    const char *words;
} error_row;

#define ROW(name, number, exit, words) {number, exit, #name, words},
static const error_row rows[] = {JAB_ERRORS(ROW)};
#undef ROW

static const error_row *find(int err)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == err)
            return &rows[i];
    return NULL;
}

const char *jab_strerror(int err)
{
    if (err >= 0)
        return "no error";
    const error_row *row = find(err);
    return row ? row->words : "unknown error";
}

const char *jab_errname(int err)
{
    if (err >= 0)
        return "JAB_OK";
    const error_row *row = find(err);
    return row ? row->name : "unknown";
}

jab_err_kind jab_err_class(int err)
{
    if (err >= 0)
        return JAB_ERR_NONE;
    if (err > -100)
        return JAB_ERR_CALLER;
    if (err > -200)
        return JAB_ERR_MACHINE;
    return err > -300 ? JAB_ERR_PEER : JAB_ERR_CREDENTIALS;
}

int jab_err_exit(int err)
{
    if (err >= 0)
        return 0;
    const error_row *row = find(err);
    return row ? row->exit : 2;
}

const char *jab_stage_name(jab_stage stage)
{
    static const char *const names[] = {
        [JAB_AT_NONE] = "none", [JAB_AT_DNS] = "dns",         [JAB_AT_TCP] = "tcp",
        [JAB_AT_TLS] = "tls",   [JAB_AT_STREAM] = "stream",   [JAB_AT_SASL] = "sasl",
        [JAB_AT_BIND] = "bind", [JAB_AT_SESSION] = "session",
    };
    size_t i = (size_t)stage;
    return i < sizeof names / sizeof *names ? names[i] : "none";
}

const char *jab_version(void)
{
    return JAB_VERSION;
}
