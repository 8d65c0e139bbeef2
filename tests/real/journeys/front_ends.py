"""One story's words in three front ends: our client, the notes page, and the custom element.

Each knows where its own buttons are, and no more: what happens, and in which order, is the test's.
"""

from dataclasses import dataclass

from playwright.async_api import expect

from tests.real.journeys.person import Person


@dataclass
class OurClient(Person):
    """The client that the gateway serves by itself: a city in a profile."""

    was: str = "London"
    becomes: str = "Turin"

    @property
    def address(self) -> str:
        """Where its pages are."""
        return self.stack.gateway_url

    async def opens(self, path: str = "/") -> None:
        """Type an address."""
        await self.page.goto(self.address + path)

    async def sees_nobody(self) -> None:
        """Wait for the page of somebody who is signed out."""
        await expect(self.page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()

    async def sees_own(self, text: str) -> None:
        """Wait for what is the person's, as it is now."""
        await expect(self.page.locator("main")).to_contain_text(text)
        await expect(self.page.get_by_role("button", name="Edit profile")).to_be_visible()

    async def begins(self) -> None:
        """Do what takes no confirmation."""
        await self.sees_own(self.was)

    async def changes_it(self) -> None:
        """Change it, up to where a confirmation is asked for."""
        await self.opens("/edit")
        await self.sees("edit")
        await self.edits(city=self.becomes)
        await self.presses("Save changes")
        await self.sees("confirm")

    async def goes_to_confirm(self) -> None:
        """Leave for the confirmation."""
        await self.presses("Continue")

    async def sees_what_waits(self) -> None:
        """Wait for what the confirmation interrupted, from what to what."""
        await self.sees("check")
        await expect(self.page.locator("main")).to_contain_text(self.was)
        await expect(self.page.locator("main")).to_contain_text(self.becomes)

    async def sends_it(self) -> None:
        """Let what waits be done."""
        await self.presses("Save changes")

    async def leaves(self) -> None:
        """Sign out."""
        await self.signs_out()


@dataclass
class NotesPage(OurClient):
    """The page of examples/notes: a note behind a foreign API."""

    was: str = "Milk"
    becomes: str = "Milk and bread"

    async def sees_own(self, text: str) -> None:
        """Wait for the note."""
        await expect(self.page.get_by_role("button", name=f"Edit “{text}”", exact=True)).to_be_visible()

    async def begins(self) -> None:
        """Add the note."""
        await self.page.get_by_label("New note").fill(self.was)
        await self.presses("Add note")
        await self.sees_own(self.was)

    async def changes_it(self) -> None:
        """Edit the note."""
        await self.presses(f"Edit “{self.was}”")
        await self.page.get_by_role("textbox", name="Text").fill(self.becomes)
        await self.presses("Save note")
        await expect(self.page.get_by_role("alert")).to_contain_text("What you asked for waits meanwhile.")

    async def goes_to_confirm(self) -> None:
        """Leave for the confirmation."""
        await self.presses("Confirm it\u2019s you")

    async def sees_what_waits(self) -> None:
        """Wait for the change that waits."""
        waiting = self.page.get_by_role("region", name="Save this change now?")
        await expect(waiting.get_by_role("definition")).to_have_text([self.was, self.becomes])

    async def sends_it(self) -> None:
        """Save it."""
        await self.presses("Save it now")
        await expect(self.page.get_by_text("Saved.")).to_be_visible()

    async def leaves(self) -> None:
        """Sign out."""
        async with self.page.expect_navigation(url=f"{self.address}/"):
            await self.presses("Sign out")
        await self.sees_nobody()


@dataclass
class ProfileElement(NotesPage):
    """The custom element of examples/profile-element: a city in a profile."""

    was: str = "London"
    becomes: str = "Turin"

    async def sees_own(self, text: str) -> None:
        """Wait for the city."""
        await expect(self.page.get_by_text(f"Ada Lovelace: {text}")).to_be_visible()

    async def begins(self) -> None:
        """Do nothing: the city is there."""
        await self.sees_own(self.was)

    async def changes_it(self) -> None:
        """Change the city."""
        await self.page.get_by_label("City").fill(self.becomes)
        await self.presses("Save")
        await expect(self.page.get_by_text("Your change waits meanwhile.")).to_be_visible()

    async def goes_to_confirm(self) -> None:
        """Leave for the confirmation."""
        await self.presses("Confirm")

    async def sees_what_waits(self) -> None:
        """Wait for the change that waits."""
        await expect(self.page.get_by_role("region", name="Profile")).to_contain_text("London → Turin")

    async def sends_it(self) -> None:
        """Save it."""
        await self.presses("Save now")
        await expect(self.page.get_by_text("Saved.")).to_be_visible()


@dataclass
class ElementAbroad(ProfileElement):
    """The custom element in a page of another origin of the same site."""

    origin: str = ""

    @property
    def address(self) -> str:
        """Where its page is, which is not where the gateway is."""
        return self.origin
