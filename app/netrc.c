/* netrc.c: finds a password in a netrc file; see netrc.h. */
#include "netrc.h"

/* One entry while it is read. */
struct entry {
    jab_str machine, login, password;
};

static jab_str next_token(jab_str *rest)
{
    while (rest->n && strchr(" \t\r\n", rest->p[0])) {
        rest->p++;
        rest->n--;
    }
    jab_str token = {rest->p, 0};
    while (token.n < rest->n && !strchr(" \t\r\n", rest->p[token.n]))
        token.n++;
    rest->p += token.n;
    rest->n -= token.n;
    return token;
}

static jab_str without_resource(const char *jid)
{
    return (jab_str){jid, strcspn(jid, "/")};
}

static int fits(const struct entry *e, const char *jid)
{
    jab_str bare = without_resource(jid);
    const char *at = memchr(bare.p, '@', bare.n);
    jab_str local = {bare.p, at ? (size_t)(at - bare.p) : 0};
    jab_str domain = {at ? at + 1 : bare.p, bare.n - (at ? local.n + 1 : 0)};
    return e->password.p && jab_str_eq(e->machine, domain) &&
           (jab_str_eq(e->login, local) || jab_str_eq(e->login, bare));
}

int app_netrc_find(app_text *password, jab_str netrc, const char *jid)
{
    struct entry e = {0};
    for (;;) {
        jab_str word = next_token(&netrc);
        int ends = word.n == 0 || jab_str_is(word, "machine") || jab_str_is(word, "default");
        if (ends && fits(&e, jid)) {
            app_text_add(password, e.password);
            return 1;
        }
        if (word.n == 0)
            return 0;
        if (ends)
            e = (struct entry){0};
        if (jab_str_is(word, "machine"))
            e.machine = next_token(&netrc);
        else if (jab_str_is(word, "login"))
            e.login = next_token(&netrc);
        else if (jab_str_is(word, "password"))
            e.password = next_token(&netrc);
    }
}
