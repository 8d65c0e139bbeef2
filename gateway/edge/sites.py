"""Whether two origins are of one site, so that browsers send the cookies of one with what pages of the other fetch.

Owns the rule as far as it can be written down: one scheme, and one name that somebody could register below the suffix
under which names are given away. The suffixes are those that are met most, each as Chromium 156 takes it; the whole
list changes each week, and a browser's own is the one that counts.
Never decides a request: browsers say `Sec-Fetch-Site` themselves, and the guard believes that.

Sources: HTML Standard, section 7.1.1.2 (schemelessly same site and schemeful); publicsuffix.org.
"""

import ipaddress
import re
from typing import Final

from servicekit.web_address import WebAddress

# Below which countries names are given away under these words: `com.au`, `co.uk`.
_SECOND_LEVELS: Final = {
    "com": (
        "ac af ag ai al am ar au aw az ba bb bd bh bi bj bm bn bo br bs bt by bz ci ck cm cn co cu cv cw "
        "cy de dm do dz ec ee eg er es et fj fk fm fr ge gh gi gl gn gp gr gt gu gy hk hn hr ht im in io "
        "iq jm jo kg kh ki km kp kw ky kz la lb lc lk lr lv ly mg mk ml mm mo ms mt mu mv mw mx my na nf "
        "ng ni np nr om pa pe pf pg ph pk pl pr ps pt py qa re ro ru sa sb sc sd se sg sh sl sn so ss st "
        "sv sy tj tm tn to tr tt tw ua ug uy uz vc ve vi vn vu ws ye zm"
    ),
    "co": (
        "ae ag am ao at az bb bd bi bj bn bw bz ca ci ck cl cm cr cz de dk dm er fk gg gl gy hu id il im "
        "in io ir it je jm jp ke kr lc ls ma me mg mm mu mw mz na ni nl no np nz om pg pl pn ro rs rw ss "
        "st sz th tj tm tt tz ua ug uk us uz ve vi za zm zw"
    ),
    "net": (
        "ac ae af ag ai al am ar au az ba bb bd bh bj bm bn bo br bs bt bw bz ci ck cm cn co cu cv cw cy "
        "dm do dz ec eg er et fj fk fm ge gg gh gl gn gp gr gt gu gy hk hn ht id il im in io iq ir je jm "
        "jo kg kh ki kn kw ky kz la lb lc lk lr ls lv ly ma me mk ml mm mo ms mt mu mv mw mx my mz na nf "
        "ng ni np nr nz om pa pe pg ph pk pl pn pr ps pt py qa ru rw sa sb sc sd sg sh sl so ss st sy th "
        "tj tm tn to tr tt tw ua uk uy uz vc ve vi vn vu ws ye za zm"
    ),
    "org": (
        "ac ae af ag ai al am ao ar au az ba bb bd bh bi bj bm bn bo br bs bt bw bz ci ck cn co cu cv cw "
        "cy dm do dz ec ee eg er es et fj fk fm ge gg gh gi gl gn gp gr gt gu gy hk hn ht hu il im in io "
        "iq ir je jm jo kg kh ki km kn kp kw ky kz la lb lc lk lr ls lv ly ma me mg mk ml mm mn mo ms mt "
        "mu mv mw mx my mz na ng ni np nr nz om pa pe pf pg ph pk pl pn pr ps pt py qa ro rs ru rw sa sb "
        "sc sd se sg sh sk sl sn so ss st sv sy sz tj tm tn to tr tt tw ua ug uk uy uz vc ve vi vn vu ws "
        "ye yt za zm zw"
    ),
    "gov": (
        "ac ae af al ao ar as au az ba bb bd bf bh bm bn br bs bt bw by bz cd ck cl cm cn co cx cy cz dm "
        "do dz ec ee eg er et fj fk gd ge gh gi gn gr gu gy hk ie il in io iq ir it jm jo kg kh ki km kn "
        "kp kw kz la lb lc lk lr ls lt lv ly ma me mg mk ml mm mn mo mr ms mu mv mw my mz na ng nl np nr "
        "om pg ph pk pl pn pr ps pt pw py qa rs ru rw sa sb sc sd sg sh sl so ss sx sy tj tl tm tn to tr "
        "tt tw ua ug uk vc ve vn ws ye za zm zw"
    ),
}
# Others of single countries, and where anybody may have a name beside others, by those who host applications.
_GIVEN_AWAY: Final = (
    "ac.at ac.id ac.il ac.in ac.jp ac.kr ac.nz ac.th ac.uk ac.za edu.au edu.br edu.cn edu.in edu.mx "
    "edu.pl edu.sg edu.tr go.id go.jp go.kr go.th gob.ar gob.es gob.mx id.au in.th lg.jp me.uk my.id "
    "ne.jp ne.kr nhs.uk or.at or.id or.jp or.kr or.th police.uk sch.uk web.id a.run.app amplifyapp.com "
    "appspot.com azure-api.net azurecontainer.io azurefd.net azurestaticapps.net azurewebsites.net "
    "blob.core.windows.net cleverapps.io cloudapp.net cloudfront.net csb.app deno.dev duckdns.org "
    "elasticbeanstalk.com firebaseapp.com fly.dev framer.app github.io gitlab.io herokuapp.com hf.space "
    "lovable.app netlify.app ngrok-free.app ngrok.app ngrok.dev ngrok.io northflank.app "
    "ondigitalocean.app onrender.com pages.dev pythonanywhere.com replit.app run.app streamlit.app "
    "supabase.co trafficmanager.net trycloudflare.com ts.net up.railway.app vercel.app web.app webflow.io "
    "workers.dev"
)
_REGIONAL: Final = re.compile(
    r"[a-z0-9-]+\.(?:azurecontainer\.io|azurestaticapps\.net|elasticbeanstalk\.com)|[a-z]+-[0-9]{2}\.azurewebsites\.net"
)
_SUFFIXES: Final = frozenset(
    {
        *_GIVEN_AWAY.split(),
        *(f"{word}.{land}" for word, lands in _SECOND_LEVELS.items() for land in lands.split()),
    }
)


def is_same_site(one: WebAddress, other: WebAddress) -> bool:
    """Tell whether browsers take two origins for one site; ports do not count."""
    if one.scheme != other.scheme:
        return False
    if one.host == other.host:
        return True
    mine, theirs = _registered(one.host), _registered(other.host)
    return mine is not None and mine == theirs


def _registered(host: str) -> str | None:
    """Return the name that somebody registered; None for an address, and for a suffix itself."""
    if host.startswith("[") or _is_address(host):
        return None
    labels = host.split(".")
    for first in range(len(labels)):
        if _is_suffix(".".join(labels[first:])):
            return ".".join(labels[first - 1 :]) if first else None
    return None


def _is_suffix(name: str) -> bool:
    return "." not in name or name in _SUFFIXES or _REGIONAL.fullmatch(name) is not None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
