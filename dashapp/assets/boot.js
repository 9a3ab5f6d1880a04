// Runs in <head>, before anything is painted: no flash of the wrong theme.
(function () {
  let theme = null;
  try { theme = localStorage.getItem("plumbline-theme"); } catch (error) { /* private mode: follow the system */ }
  theme = theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.documentElement.setAttribute("data-bs-theme", theme);
  document.documentElement.setAttribute("data-ag-theme-mode", theme);
})();
