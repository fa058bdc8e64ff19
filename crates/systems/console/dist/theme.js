// Runs before the first paint, so that a dark page never flashes white. Kept in a file of its own
// because the content security policy allows no inline script.
(function () {
  var chosen = null;
  try {
    chosen = localStorage.getItem("tidemill.theme");
  } catch (_) {
    // Storage is switched off: the system's preference decides.
  }
  var dark = chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
