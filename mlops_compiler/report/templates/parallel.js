"use strict";
document.querySelectorAll("svg.parallel").forEach((svg) => {
  const told = svg.closest("figure").querySelector(".told"), silent = told.textContent, ranges = new Map();
  const trials = [...svg.querySelectorAll("g.trial")];
  const heights = trials.map((g) => g.dataset.at.split(",").map((y) => (y === "" ? NaN : Number(y))));
  const height = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse()).y;
  const count = () => {
    const left = trials.filter((g) => !g.classList.contains("off")).length;
    told.textContent = ranges.size ? `${left} of ${trials.length} trials pass through what is marked` : silent;
  };
  const show = () => {
    trials.forEach((g, i) => g.classList.toggle("off", [...ranges].some(([at, [a, b]]) => !(heights[i][at] >= a && heights[i][at] <= b))));
    count();
  };
  trials.forEach((g) => {
    g.addEventListener("pointerenter", () => { told.textContent = g.querySelector("title").textContent; });
    g.addEventListener("pointerleave", count);
  });
  svg.querySelectorAll("g.axis").forEach((axis, at) => {
    const brush = axis.querySelector(".brush"), handle = axis.querySelector(".handle");
    const paint = () => {
      const [a, b] = ranges.get(at) || [0, 0];
      brush.setAttribute("y", a);
      brush.setAttribute("height", b - a);
      show();
    };
    let start = null;
    handle.addEventListener("pointerdown", (event) => {
      start = height(event);
      ranges.delete(at);
      handle.setPointerCapture(event.pointerId);
      paint();
      event.preventDefault();
    });
    handle.addEventListener("pointermove", (event) => {
      if (start === null) return;
      const now = height(event);
      if (Math.abs(now - start) > 3) ranges.set(at, [Math.min(start, now), Math.max(start, now)]);
      paint();
    });
    ["pointerup", "pointercancel"].forEach((kind) => handle.addEventListener(kind, () => { start = null; }));
  });
});
