// What the pages do by themselves: tell times, show what a mark of a chart stands for, keep the choice of light or
// dark, bring the page up to date, and say when the dashboard has gone. All that they show is there without this file.
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

  // Make one element what another one is, and touch nothing that is so already: what is open, chosen or scrolled stays.
  const kind = (node) => [node.nodeName, node.id || node.getAttribute?.("class")?.split(" ")[0]].join(" ");
  const alike = (one, other) => kind(one) === kind(other);
  const morph = (old, fresh) => {
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) {
      if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    children(old, fresh);
  };
  // What has an id is found by it and moved; the rest is met in order, and made anew where it is not what stands there.
  const children = (old, fresh) => {
    const named = new Map([...old.children].filter((each) => each.id).map((each) => [each.id, each]));
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const found = wanted.id ? named.get(wanted.id) : at && !at.id && alike(at, wanted) ? at : null;
      if (!found || !alike(found, wanted)) { old.insertBefore(wanted, at); continue; }
      if (found === at) at = at.nextSibling; else old.insertBefore(found, at);
      morph(found, wanted);
    }
    while (at) { const gone = at; at = at.nextSibling; gone.remove(); }
  };

  const WAIT = 20000;
  const look = async (page) => {
    const seal = document.getElementById("content")?.dataset.seal || "";
    try {
      const answer = await fetch(page.dataset.live, {
        headers: { "X-Live": "true", "X-Seen": seal }, redirect: "error", signal: AbortSignal.timeout(WAIT),
      });
      if (answer.status !== 204) {
        const made = document.createElement("template");
        made.innerHTML = await answer.text();
        const held = document.activeElement;
        children(page, made.content);
        if (held !== document.activeElement && held.isConnected) held.focus({ preventScroll: true });
        tell();
      }
      live(true);
    } catch { live(false); }
  };
  document.addEventListener("DOMContentLoaded", () => {
    const page = document.querySelector("[data-live]");
    const again = async () => {
      if (!document.hidden) await look(page);
      setTimeout(again, 1000 * page.dataset.every);
    };
    if (page) setTimeout(again, 1000 * page.dataset.every);
  });
})();
