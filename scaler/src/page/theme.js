// Loaded before the first paint, so that a remembered theme does not flash.
"use strict";
(() => {
  const root = document.documentElement;
  const order = ["system", "light", "dark"];
  const read = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // Storage may be refused; the theme then lasts as long as the page.
    }
  };
  let theme = order.includes(read()) ? read() : "system";
  const show = () => {
    if (theme === "system") root.removeAttribute("data-theme");
    else root.setAttribute("data-theme", theme);
    const button = document.getElementById("theme");
    if (button) button.textContent = `Theme: ${theme}`;
  };
  show();
  document.addEventListener("DOMContentLoaded", () => {
    show();
    document.getElementById("theme").addEventListener("click", () => {
      theme = order[(order.indexOf(theme) + 1) % order.length];
      try {
        localStorage.setItem("theme", theme);
      } catch {
        // As above.
      }
      show();
    });
  });
})();
