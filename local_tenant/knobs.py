"""What an administrator may turn while the tenant runs. Values only; each is read where it matters."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from local_tenant.app_registration import OptionalClaim

_TEN_YEARS: Final = 10 * 365 * 24 * 3600
Seconds = Annotated[int, Field(ge=1, le=_TEN_YEARS)]


class Knobs(BaseModel):
    """The settings of ``PUT /admin/settings``; the defaults are what Entra does."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True, strict=True)

    access_token_seconds: Seconds | None = None
    """None: 60 to 90 minutes at random."""
    id_token_seconds: Seconds = 3600
    code_seconds: Seconds = 600
    refresh_token_seconds: Seconds = 90 * 24 * 3600
    refresh_in_seconds: Seconds | None = None
    """Adds ``refresh_in`` to token answers."""
    clock_offset_seconds: float = Field(default=0.0, ge=-_TEN_YEARS, le=_TEN_YEARS)
    graph_lag_seconds: float = Field(default=0.0, ge=0, le=_TEN_YEARS)
    rotate_refresh_tokens: bool = False
    """On: a refresh token works once, and a second use revokes its family. Off is Entra."""
    v1_access_tokens: bool = False
    """On: APIs get v1 tokens, the misconfiguration that Entra starts out with."""
    optional_claims: dict[str, tuple[OptionalClaim, ...]] = Field(default_factory=dict)
    """Client id to optional claims; overrides the registration."""
    omit_client_info: bool = False
    """On: token answers carry no ``client_info``."""
    logout_picker: bool = False
    """On: sign-out without a hint asks which account first."""

    def claims_for(self, client_id: str, registered: tuple[OptionalClaim, ...]) -> tuple[OptionalClaim, ...]:
        """Return a client's optional claims, ``registered`` where no knob is turned; its id is read in any case."""
        by_id = {name.casefold(): claims for name, claims in self.optional_claims.items()}
        return by_id.get(client_id.casefold(), registered)
