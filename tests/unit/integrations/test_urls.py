"""URLs that users name: which may be asked at all, before anything is resolved."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from yarl import URL

from growqr.errors import Invalid
from growqr.integrations import check_url, is_public
from growqr.integrations.addresses import read

GOOD = {
    "https://example.com": None,
    "HTTPS://Example.COM/Path?q=1": "https://example.com/Path?q=1",
    "https://example.com:8443/x": "https://example.com:8443/x",
    "https://bücher.example/ä": "https://xn--bcher-kva.example/%C3%A4",
    "https://1.1.1.1/x": "https://1.1.1.1/x",
    "https://[2606:4700:4700::1111]:8443/": "https://[2606:4700:4700::1111]:8443/",
    "https://hooks_1.example.com/a?to=http://10.0.0.1/@x": None,
    "https://example.com/?a@b": None,
    "https://10.0.0.1.example.com/": None,
    "https://localhost.example.com/": None,
    "https://" + "a" * 63 + ".example/": None,
}

BAD = {
    "scheme": """http://example.com ftp://example.com file:///etc/passwd gopher://example.com
        javascript:alert(1) example.com //example.com https:example.com https:/example.com
        unix://x ext::https://example.com""",
    "userinfo": """https://user@example.com https://user:secret@example.com https://@example.com
        https://:@example.com https://example.com@127.0.0.1 https://a@b@c/""",
    "host": """https:// https:///path https://:443/ https://exa%6dple.com https://[v1.a]/
        https://a..example https://.example https://example.com. https://-a.example https://a-.b
        https://[::1]x/ https://a:b/ https://a:443:1/ https://a:+80/ https://a:8_0/ https://a:\uff18/
        https://[fe80::1%25eth0]/ https://[::1%eth0]/ https://a:123456/ https://[::1::2]/
        https://a*b/ https://$a/ https://"""
    + f"{'a' * 64}.example/ https://{'a.' * 127}de/",
    "port": "https://example.com:0/",
    "malformed": "https://example.com:65536/ https://[127.0.0.1]/",
    "length": "https://example.com/" + "a" * 2_000,
    "spelling": """https://2130706433/ https://0x7f000001/ https://0x7f.1/ https://0177.0.0.1/
        https://017700000001/ https://127.1/ https://127.0.1/ https://0/ https://127.0.0.1./
        https://127.0.0.01/ https://1.1.1.1.1/ https://256.1.1.1/ https://0x/ https://a.0x7f/
        https://example.1/ https://8.8.2056/ https://0X7F.1/ https://127.0.0.0x1/""",
    "not_public": """https://127.0.0.1/ https://127.0.0.1:8443/x https://169.254.169.254/latest
        https://10.0.0.1 https://0.0.0.0 https://192.168.1.1 https://[::1]/ https://[::]/
        https://[::ffff:127.0.0.1]/ https://[::ffff:7f00:1]/ https://[0:0:0:0:0:ffff:127.0.0.1]/
        https://[64:ff9b::127.0.0.1]/ https://[fe80::1]/ https://[fd00::1]/ https://localhost/
        https://LOCALHOST:1/ https://a.localhost/ https://①②⑦.⓪.⓪.①/ https://127。0。0。1/""",
}  # fmt: skip
CASES = [(reason, url) for reason, urls in BAD.items() for url in urls.split()]
CASES += [("characters", url) for url in (
    "https://example.com/a b", "https://exam ple.com", " https://example.com",
    "https://example.com\n", "https://example.com/\r\nX: y", "https://a\t.example",
    "https://example.com/\x00", "https://example.com/\x7f", "https://a\\@b.example",
    "https://example.com\\.evil", "https://example.com/\u202e", "https://a\u00a0b/",
    "https://example.com/\ud800", "https://a\u200b.example/",
)]  # fmt: skip
CASES.append(("scheme", ""))


@pytest.mark.parametrize("url", GOOD)
def test_good_urls_stay_what_they_are(url: str) -> None:
    checked = check_url(url)
    assert checked == (GOOD[url] or url)
    assert check_url(checked) == checked


@pytest.mark.parametrize(("reason", "url"), CASES)
def test_bad_urls_are_refused_by_reason(reason: str, url: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_url(url, field="webhook")
    assert refused.value.detail == {"field": "webhook", "reason": reason}
    assert "webhook" in refused.value.message


@pytest.mark.parametrize("url", [
    "https://tok3n@example.com/", "https://u:tok3n@example.com", "ftp://example.com/tok3n",
    "https://127.0.0.1/tok3n", "https://127.1/tok3n", "https://a b/tok3n",
    "https://example.com:0/tok3n", "https://example.com:99999/?key=tok3n", "tok3n",
    "https://tok3n%41/", "https://example.com/" + "tok3n" * 500,
])  # fmt: skip
def test_no_refusal_repeats_the_url(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_url(url)
    assert "tok3n" not in repr(refused.value) + repr(refused.value.detail)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_development_may_ask_for_http_and_loopback() -> None:
    both = ("https", "http")
    assert check_url("http://example.com/", schemes=both) == "http://example.com/"
    for url in ("http://127.0.0.1:8000/x", "http://localhost:8000/", "http://[::1]:1/"):
        with pytest.raises(Invalid):
            check_url(url, schemes=both)
        assert check_url(url, schemes=both, allow_loopback=True) == url
    for url in ("http://10.0.0.1/", "http://169.254.169.254/", "http://127.1/"):
        with pytest.raises(Invalid):
            check_url(url, schemes=both, allow_loopback=True)


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from(["", "https://", "https://127.0.0.1", "https://[::"]))
def test_whatever_passes_has_one_reading(text: str, start: str) -> None:
    try:
        checked = check_url(start + text)
    except Invalid:
        return
    read_again = URL(checked)
    host = read_again.raw_host or ""
    assert check_url(checked) == checked
    assert read_again.raw_user is None
    assert read_again.scheme == "https"
    assert read(host) is None or is_public(host)
