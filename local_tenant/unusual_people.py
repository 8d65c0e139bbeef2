"""People whose profiles are hard to show; added on request by ``POST /admin/people/unusual``. Data only."""

from typing import Final

from local_tenant.configuration import PersonSection

PASSWORD: Final = "Unusual-Person-0000"  # noqa: S105 - public and documented, as all of the stand-in's people are

_LONG_NAME: Final = "Wolfeschlegelsteinhausenbergerdorff " * 8

UNUSUAL: Final = tuple(
    PersonSection.model_validate({"password": PASSWORD, **person})
    for person in (
        {  # signed up with Google: no local e-mail identity
            "id": "7d204b6c-ae3f-4a9d-9b58-c3e4f5a6b703",
            "email": "federated@example.com",
            "federated_by": "google.com",
            "profile": {"displayName": "Hedy Lamarr", "givenName": "Hedy", "surname": "Lamarr"},
        },
        {  # everything null but the required name
            "id": "8e315c7d-bf40-4bae-8c69-d4f5a6b7c804",
            "email": "nothing@example.com",
            "profile": {"displayName": "unknown"},
        },
        {
            "id": "9f426d8e-c051-4cbf-9d7a-e5a6b7c8d905",
            "email": "yamada@example.com",
            "profile": {
                "displayName": "山田 花子",
                "givenName": "花子",
                "surname": "山田",
                "jobTitle": "مهندسة برمجيات",
                "streetAddress": "東京都千代田区千代田1-1",
                "city": "千代田区",
                "state": "東京都",
                "postalCode": "100-8111",
                "country": "日本",
                "preferredLanguage": "ja-JP",
            },
        },
        {  # the longest display name there can be
            "id": "a0537e9f-d162-4dc0-8e8b-f6b7c8d9ea06",
            "email": "long@example.com",
            "profile": {"displayName": _LONG_NAME[:256]},
        },
        {  # signs in with an e-mail code, so that the e-mail code can't be the second factor
            "id": "b1648fa0-e273-4ed1-9f9c-a7c8d9eafb07",
            "email": "no-second-factor@example.com",
            "second_factor": "none",
            "profile": {"displayName": "Katherine Johnson"},
        },
    )
)
