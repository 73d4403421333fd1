// The desk works without this. With it, "/" leads to the search field, and a summary of errors is read first.
(() => {
  "use strict";
  const typing = (target) => target.closest("input, textarea, select, [contenteditable]");
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const find = document.getElementById("find");
    if (!find) return;
    event.preventDefault();
    find.focus();
    find.select();
  });
  document.querySelector("[data-focus]")?.focus();
})();
