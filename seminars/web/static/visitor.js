// Tells the server the browser's zone, so that the next page shows times of online events in it as well.
// Without this script nothing is missing: the programme offers the choice as a page.
(() => {
  "use strict";
  const told = document.cookie.split("; ").some((part) => part.startsWith("zone="));
  if (told) return;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `zone=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax${secure}`;
})();
