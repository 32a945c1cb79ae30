// Before the first paint: follow the system's light or dark where the visitor has chosen neither.
const root = document.documentElement;
if (!root.dataset.bsTheme) {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const follow = () => { root.dataset.bsTheme = dark.matches ? "dark" : "light"; };
  dark.addEventListener("change", follow);
  follow();
}
