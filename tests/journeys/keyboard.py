"""A person without a mouse: Tab, Enter, Space and letters, and nothing else."""

from __future__ import annotations

from playwright.sync_api import Locator

from tests.journeys.visitor import Visitor

MOST_TABS = 120
IS_FOCUSED = "element => element === document.activeElement"
IS_MARKED = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" || style.boxShadow !== "none";
}"""


class Keyboard:
    """Reaches things in the order in which the page offers them. It never goes back: what is needed must lie ahead."""

    def __init__(self, visitor: Visitor) -> None:
        self._visitor = visitor
        self._page = visitor.page

    def reach(self, wanted: Locator) -> None:
        """Tab forward until it has the focus, which can be seen."""
        for _ in range(MOST_TABS):
            if wanted.evaluate(IS_FOCUSED):
                assert self._page.evaluate(IS_MARKED), f"Nothing marks {wanted} while it has the focus"
                return
            self._page.keyboard.press("Tab")
        raise AssertionError(f"{MOST_TABS} times Tab do not lead to {wanted}")

    def type(self, label: str, text: str, *, within: Locator | None = None) -> None:
        """Write into the field, over what stands there."""
        self.reach(self._visitor.field(label, within=within))
        self._page.keyboard.press("Control+A")
        self._page.keyboard.type(text)

    def enter(self, role: str, name: str, *, within: Locator | None = None) -> None:
        """Follow a link or press a button."""
        self.reach((within or self._page).get_by_role(role, name=name).first)  # type: ignore[arg-type]
        self._page.keyboard.press("Enter")

    def tick(self, label: str, *, within: Locator | None = None) -> None:
        """Tick a box, or take the tick away."""
        self.reach((within or self._page).get_by_label(label))
        self._page.keyboard.press("Space")
