// What the pages do by themselves: tell times, show what a mark of a chart stands for, keep the choice of light or
// dark, and say when the dashboard has gone. Everything that they show is there without this file.
(() => {
  const root = document.documentElement;
  const THEMES = ["", "light", "dark"];
  const kept = () => { try { return localStorage.getItem("theme") || ""; } catch { return ""; } };
  const dress = (theme) => theme ? root.setAttribute("data-theme", theme) : root.removeAttribute("data-theme");
  dress(kept());

  const span = (seconds) => {
    if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)} h`;
    return `${Math.floor(seconds / 86400)} days`;
  };
  const tell = () => {
    for (const time of document.querySelectorAll("time[data-ago], time[data-since]")) {
      const then = new Date(time.dateTime), seconds = (Date.now() - then) / 1000;
      const text = time.hasAttribute("data-since") ? `for ${span(seconds)}` : seconds < 10 ? "just now" : `${span(seconds)} ago`;
      if (time.textContent !== text) time.textContent = text;
      const full = then.toLocaleString();
      if (time.title !== full) time.title = full;
    }
  };

  const live = (well) => {
    const sign = document.getElementById("live");
    if (!sign || sign.classList.contains("gone") === !well) return;
    sign.classList.toggle("gone", !well);
    sign.lastElementChild.textContent = well ? "live" : "the dashboard has ended";
  };

  let marked = null;
  const tip = (event) => {
    const box = document.getElementById("tip");
    const mark = event.target.closest?.("svg [aria-label]:not(svg), [data-tip]");
    if (!mark) { box.hidden = true; marked = null; return; }
    if (mark !== marked) { box.textContent = mark.dataset.tip || mark.getAttribute("aria-label"); marked = mark; }
    box.hidden = false;
    const left = Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 8);
    const above = event.clientY + 24 + box.offsetHeight > innerHeight;
    box.style.left = `${Math.max(8, left)}px`;
    box.style.top = `${above ? event.clientY - box.offsetHeight - 10 : event.clientY + 16}px`;
  };

  document.addEventListener("DOMContentLoaded", () => {
    tell();
    setInterval(tell, 1000);
    document.addEventListener("pointermove", tip);
    document.addEventListener("pointerleave", tip);
    document.getElementById("theme").addEventListener("click", () => {
      const next = THEMES[(THEMES.indexOf(kept()) + 1) % THEMES.length];
      try { localStorage.setItem("theme", next); } catch { /* it is kept for this page only */ }
      dress(next);
    });
  });
  document.addEventListener("htmx:config:request", (event) => {
    const shown = document.getElementById("content");
    if (shown) event.detail.ctx.request.headers["X-Seen"] = shown.dataset.seal;
  });
  document.addEventListener("htmx:before:request", (event) => { if (document.hidden) event.preventDefault(); });
  document.addEventListener("htmx:after:request", () => live(true));
  document.addEventListener("htmx:after:swap", tell);
  document.addEventListener("htmx:error", () => live(false));
})();
