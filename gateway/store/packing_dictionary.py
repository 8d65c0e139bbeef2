"""The dictionary with which records are packed.

Owns what nearly every record says, so that a record pays only for what is its own. It belongs to the form of every
record that lies in Redis: whoever changes it, be it by a space, changes `sealing.VERSION` with it; a test compares.
It is about to go: without it a session takes 4.8 kB, which is within the budget. This release writes with it, as
gateways of the release before open nothing else, and opens both forms; the next one writes without
(docs/explanation/decisions/2026-11-26-house.md).
"""

from typing import Final

# Deflate finds what is near more cheaply than what is far: the largest records come last.
DICTIONARY: Final = (
    b'{"device":"Firefox on Windows","created_at":17,"last_mfa_at":null}'
    b'"Chrome on Android","Safari on iPhone","Edge on Windows",'
    b'{"version":1,"tid":"","oid":"","sub":"","name":"","username":"","sid":"","login_hint":"",'
    b'"device":"Chrome on Windows","created_at":17,"last_mfa_at":17,"step_ups_in_vain":0,"claims":{'
    b'"aud":"","iss":"https://.ciamlogin.com//v2.0","iat":17,"nbf":17,"exp":17,"auth_time":17,"acrs":["c1"],'
    b'"aio":"","rh":"1.","uti":"","nonce":"","email":"","login_hint":"","oid":"","tid":"","sub":"","name":"",'
    b'"preferred_username":"","sid":"","ver":"2.0"}}'
    b'{"value":"eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiIsImtpZCI6Ii","expires_at":17'
    b'{"Account":{".-.ciamlogin.com-":{"home_account_id":"","environment":".ciamlogin.com","realm":"",'
    b'"local_account_id":"","username":"","authority_type":"MSSTS","account_source":"authorization_code"}},'
    b'"AppMetadata":{"appmetadata-.ciamlogin.com-":{"client_id":"","environment":".ciamlogin.com"}},'
    b'"RefreshToken":{".-.ciamlogin.com-refreshtoken---user.read openid profile offline_access":{'
    b'"credential_type":"RefreshToken","secret":"1.A","home_account_id":"","environment":".ciamlogin.com",'
    b'"client_id":"","target":"User.Read openid profile offline_access","last_modification_time":"17"}}'
)
