/* pretty.c: indents XML text by looking at its tags only; see pretty.h. */
#include "pretty.h"

enum token { NOTHING, OPEN, CLOSE, EMPTY, TEXT };

/* Where the token that begins at `i` ends. Quoted values may hold '>'. */
static size_t token_end(jab_str xml, size_t i)
{
    char quote = 0;
    if (xml.p[i] != '<') {
        while (i < xml.n && xml.p[i] != '<')
            i++;
        return i;
    }
    for (; i < xml.n; i++) {
        char c = xml.p[i];
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            return i + 1;
    }
    return i;
}

static enum token kind_of(jab_str token)
{
    if (token.p[0] != '<')
        return TEXT;
    if (token.n > 1 && token.p[1] == '/')
        return CLOSE;
    return token.n > 2 && token.p[token.n - 2] == '/' ? EMPTY : OPEN;
}

/* Whether a line break goes between two tokens: not next to text, and not
 * between an opening tag and its own closing one. */
static int breaks(enum token before, enum token now)
{
    if (before == NOTHING || before == TEXT || now == TEXT)
        return 0;
    return !(before == OPEN && now == CLOSE);
}

void cli_pretty(app_text *out, jab_str xml)
{
    size_t depth = 0;
    enum token before = NOTHING;
    for (size_t i = 0; i < xml.n;) {
        size_t end = token_end(xml, i);
        jab_str token = {xml.p + i, end - i};
        enum token now = kind_of(token);
        depth -= now == CLOSE && depth > 0;
        if (breaks(before, now)) {
            app_text_char(out, '\n');
            for (size_t level = 0; level < depth; level++)
                app_text_z(out, "  ");
        }
        app_text_add(out, token);
        depth += now == OPEN;
        before = now;
        i = end;
    }
}
