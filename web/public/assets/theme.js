// Before the first paint: the chosen theme, or that of the system. A file of its own for the CSP.
(() => {
  let chosen = "system";
  try {
    chosen = localStorage.getItem("growqr.theme") || "system";
  } catch {}
  const dark =
    chosen === "dark" || (chosen !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
