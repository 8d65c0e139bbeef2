"""What may be added to the content security policy, and what never."""

import pytest

from gateway.edge.content_policy import content_policy, read_additions

HASH = "'sha256-" + "A" * 43 + "='"


def directives(additions: str) -> dict[str, str]:
    """Return the policy of a front end by directive."""
    parts = content_policy(front_end=True, additions=additions).text.split("; ")
    return dict(part.split(" ", 1) for part in parts)


@pytest.mark.parametrize(
    "additions, directive, is_then",
    [
        (f"script-src {HASH}", "script-src", f"'self' {HASH}"),
        ("script-src 'wasm-unsafe-eval'", "script-src", "'self' 'wasm-unsafe-eval'"),
        ("script-src https://cdn.example.com/lib/", "script-src", "'self' https://cdn.example.com/lib/"),
        ("style-src 'unsafe-inline'", "style-src", "'self' 'unsafe-inline'"),
        ("IMG-SRC data: https://*.example.com", "img-src", "'self' data: https://*.example.com"),
        ("connect-src https://api.example.com wss://api.example.com:8443", "connect-src",
         "'self' https://api.example.com wss://api.example.com:8443"),
        ("connect-src http://localhost:5000", "connect-src", "'self' http://localhost:5000"),
        ("font-src https://FONTS.example.com:443", "font-src", "'self' https://fonts.example.com"),
        ("img-src https://b\u00fccher.example", "img-src", "'self' https://xn--bcher-kva.example"),
        ("frame-src 'self' https://video.example", "frame-src", "'self' https://video.example"),
        ("worker-src blob:;;", "worker-src", "'self' blob:"),
        ("trusted-types angular default 'allow-duplicates'", "trusted-types", "angular default 'allow-duplicates'"),
        ("form-action https://pay.example", "form-action", "'self' https://pay.example"),
    ],
)  # fmt: skip
def test_S53_what_is_added_stands_behind_what_is_there(additions: str, directive: str, is_then: str) -> None:
    plain, added = directives(""), directives(additions)

    assert added[directive] == is_then
    assert {name: text for name, text in added.items() if name != directive} == {
        name: text for name, text in plain.items() if name != directive
    }


def test_S53_trusted_types_are_left_out_where_somebody_says_so_in_words() -> None:
    left_out = {*directives("")} - {*directives("require-trusted-types-for 'none'")}

    assert left_out == {"require-trusted-types-for", "trusted-types"}


@pytest.mark.parametrize(
    "additions",
    [
        *(f"script-src {word}" for word in (
            "'unsafe-inline'", "'UNSAFE-INLINE'", "'unsafe-eval'", "'unsafe-hashes'", "'strict-dynamic'", "data:",
            "blob:", "filesystem:", "https:", "http:", "*", "*.example.com", "https://*", "https://*.example.com",
            "cdn.example.com", "'nonce-abc'", "sha256-abc", "'sha256-abc'", "'none'", "'self'", "http://cdn.example",
            "//cdn.example", "https://user@cdn.example", "https://cdn.example/?q", "unsafe-inline", "\"'self'\"",
            "https://cdn.example.", "https://cdn.example/a,b", "https://cdn.example/\u2028x",
            "wss://cdn.example", HASH.strip("'"),
        )),
        "style-src data:", "style-src *", "img-src *", "img-src http:", "connect-src *", "connect-src https:",
        "connect-src 'unsafe-inline'", "frame-src https:", "frame-src data:", "form-action https:", "form-action *",
        "worker-src data:", "worker-src https://*.example.com", "img-src https://*.",
        "base-uri 'self'", "frame-ancestors https://a.example", "default-src 'self'", "object-src 'self'",
        "script-src-elem 'unsafe-inline'", "script-src-attr 'unsafe-inline'", "sandbox allow-scripts", "report-uri /x",
        "require-trusted-types-for 'script'", "trusted-types *", "trusted-types 'none'",
        "trusted-types a; require-trusted-types-for 'none'", "img-src", "img-src data:; img-src blob:", "x y",
        "img-src https://a.example\r\nX-Evil: 1", "img-src:https://a.example",
    ],
)  # fmt: skip
def test_S53_nothing_is_added_by_which_a_strangers_script_could_run_or_our_word_be_undone(
    additions: str,
) -> None:
    with pytest.raises(ValueError, match=r"^(adds|has|names|both)"):
        read_additions(additions)


def test_pages_that_show_what_others_have_do_without_the_embedder_policy_and_no_other_pages() -> None:
    assert not content_policy().embeds
    assert not content_policy(
        front_end=True, additions="img-src data: blob:; connect-src https://a.example"
    ).embeds
    for additions in ("img-src https:", "script-src https://a.example", "frame-src https://a.example"):
        assert content_policy(front_end=True, additions=additions).embeds
