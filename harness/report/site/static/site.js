// Theme, sorting, filtering and the Pareto plot. Without it the pages still hold every number.
"use strict";
(() => {
  const root = document.documentElement;
  const THEME = "peftbench-theme";
  const remembered = () => { try { return localStorage.getItem(THEME); } catch { return null; } };
  const remember = (value) => { try { localStorage.setItem(THEME, value); } catch { /* a browser may forbid it */ } };
  const chosen = remembered();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  root.classList.add("js");

  function themeButton(button) {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";
    const label = () => {
      button.textContent = isDark() ? "Light" : "Dark";
      button.setAttribute("aria-label", `Switch to the ${isDark() ? "light" : "dark"} theme`);
    };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(root.dataset.theme);
      label();
    });
    system.addEventListener("change", label);
    button.hidden = false;
    label();
  }

  // ---- tables ----
  const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    const body = table.tBodies[0];
    heads.forEach((head, at) => {
      const kind = head.dataset.sort;
      if (!kind) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const now = head.getAttribute("aria-sort");
        const next = now ? (now === "ascending" ? "descending" : "ascending") : head.dataset.first;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", next);
        sort(body, at, kind, next === "ascending" ? 1 : -1);
      });
    });
  }

  function sort(body, at, kind, sign) {
    const value = (row) => {
      const cell = row.cells[at];
      if (kind === "text") return cell.innerText.trim();
      return "value" in cell.dataset ? Number(cell.dataset.value) : NaN;
    };
    const rows = [...body.rows].map((row) => [value(row), row]);
    rows.sort(([a], [b]) => {
      if (kind === "text") return sign * collator.compare(a, b);
      // What has no value stands last, whichever way the rest is turned.
      if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
      return sign * (a - b);
    });
    body.append(...rows.map(([, row]) => row));
  }

  function filter(table) {
    const find = (name) => document.querySelector(`[data-${name}="${CSS.escape(table.id)}"]`);
    const [text, family, count] = ["filters", "family", "count"].map(find);
    const rows = [...table.tBodies[0].rows];
    const apply = () => {
      const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const all = row.dataset.words.toLowerCase();
        row.hidden = !words.every((word) => all.includes(word)) || Boolean(family?.value && row.dataset.family !== family.value);
        shown += !row.hidden;
      }
      const whole = rows.length;
      if (count) count.textContent = (shown < whole ? `${shown} of ${whole}` : `${whole}`) + (whole === 1 ? " row" : " rows");
      table.dispatchEvent(new CustomEvent("filtered"));
    };
    if (!text) return;
    text.addEventListener("input", apply);
    family?.addEventListener("change", apply);
    if (text.value || family?.value) apply();
  }

  // ---- the plot ----
  const SVG = "http://www.w3.org/2000/svg";
  const MARKS = [
    "M0-5A5 5 0 1 1 0 5A5 5 0 1 1 0-5Z", "M-4.4-4.4H4.4V4.4H-4.4Z", "M0-5.4L5 4.2H-5Z", "M0-6L6 0L0 6L-6 0Z",
    "M0 5.4L5-4.2H-5Z", "M-1.8-5.4H1.8V-1.8H5.4V1.8H1.8V5.4H-1.8V1.8H-5.4V-1.8H-1.8Z",
    "M-5-2.6L-2.6-5L0-2.4L2.6-5L5-2.6L2.4 0L5 2.6L2.6 5L0 2.4L-2.6 5L-5 2.6L-2.4 0Z",
    "M-5.4 0L4.2-5V5Z", "M5.4 0L-4.2-5V5Z",
  ];

  function add(parent, name, attributes, text) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  }

  function short(value) {
    for (const [size, end] of [[1e9, "B"], [1e6, "M"], [1e3, "k"]]) {
      if (Math.abs(value) >= size) return Number((value / size).toPrecision(3)) + end;
    }
    return String(Number(value.toPrecision(3)));
  }

  function linearTicks(low, high, count) {
    const rough = (high - low) / count;
    const size = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * size).find((s) => s >= rough * 0.999);
    const found = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) found.push(k * step);
    return found;
  }

  // A position for 0 left of a break, where the axis is logarithmic.
  function logAxis(values) {
    const positive = values.filter((v) => v > 0);
    const low = positive.length ? Math.min(...positive) : 1;
    const high = positive.length ? Math.max(...positive) : 1;
    const hasZero = values.some((v) => v <= 0);
    const zero = low / Math.max(3, (high / low) ** 0.15);
    const room = Math.max(1.6, (high / low) ** 0.08);
    const from = Math.log10((hasZero ? zero : low) / room);
    const to = Math.log10(high * room);
    const ticks = [];
    const steps = high / low >= 50 ? [1] : [1, 2, 5];
    for (let d = Math.floor(from); d <= Math.ceil(to); d++) {
      for (const m of steps) {
        const tick = m * 10 ** d;
        if (tick >= low / Math.sqrt(room) && Math.log10(tick) <= to) ticks.push([tick, short(tick)]);
      }
    }
    if (hasZero) ticks.unshift([0, "0"]);
    const share = (v) => (Math.log10(v > 0 ? v : zero) - from) / (to - from);
    return { share, ticks, gap: hasZero ? share(Math.sqrt(zero * low)) : null };
  }

  function linearAxis(values, scale) {
    const low = Math.min(...values), high = Math.max(...values);
    const spread = high - low || Math.abs(high) || 1;
    const from = low - 0.08 * spread, to = high + 0.14 * spread;
    const ticks = linearTicks(from / scale, to / scale, 5).map((t) => [t * scale, scale > 1 ? String(Number(t.toPrecision(4))) : short(t)]);
    return { share: (v) => (v - from) / (to - from), ticks, gap: null };
  }

  function scoreAxis(points) {
    const values = points.map((p) => p.score[0]);
    const low = Math.min(...values), high = Math.max(...values);
    const spread = Math.max(high - low, 0.5);
    // Long intervals may leave the frame, so that one of two seeds does not flatten everything else.
    const reach = (at, side) => points.map((p) => p.score[at]).filter((v) => v !== null).map((v) => Math.max(low - 0.5 * spread, Math.min(high + 0.5 * spread, v)));
    const from = Math.min(low - 0.12 * spread, ...reach(1)), to = Math.max(high + 0.12 * spread, ...reach(2));
    return { share: (v) => (v - from) / (to - from), ticks: linearTicks(from, to, 5).map((t) => [t, String(Number(t.toPrecision(6)))]) };
  }

  function front(points, up) {
    const better = (a, b) => (up ? a.value >= b.value : a.value <= b.value) && a.score[0] >= b.score[0] && (a.value !== b.value || a.score[0] !== b.score[0]);
    return points.filter((p) => !points.some((other) => better(other, p)));
  }

  function plot(figure) {
    const data = JSON.parse(figure.querySelector("script").textContent);
    const canvas = figure.querySelector(".canvas");
    const foot = figure.querySelector(".foot");
    const table = document.getElementById(`${figure.dataset.plot}-table`);
    const pick = (axis) => figure.querySelector(`[data-axis="${axis}"]`);
    const rowOf = (id) => table.querySelector(`[data-row="${CSS.escape(id)}"]`);
    const tip = document.createElement("div");
    tip.className = "tip";
    tip.setAttribute("aria-hidden", "true");
    let current = null;

    function draw() {
      const score = data.scores.find((one) => one.name === pick("score").value);
      const cost = data.costs.find((one) => one.name === pick("cost").value);
      const shown = data.rows.filter((row) => !rowOf(row.id)?.hidden);
      const points = [];
      for (const row of shown) {
        const at = row.scores[score.name], price = row.costs[cost.name]?.[score.task];
        if (at && price) points.push({ ...row, score: at, value: price[0], text: price[1] });
      }
      canvas.replaceChildren();
      const left = shown.filter((row) => !points.some((p) => p.id === row.id)).map((row) => row.label);
      foot.textContent = [
        "Line: the Pareto front. Whiskers: 95 % interval over seeds.",
        cost.mixed ? "The rows come from different machines, on which this cost does not compare: no front is drawn." : "",
        left.length ? `Not shown (no score or cost): ${left.join(", ")}.` : "",
      ].filter(Boolean).join(" ");
      if (points.length) chart(points, score, cost);
    }

    function chart(points, score, cost) {
      const width = Math.max(canvas.clientWidth, 200), height = Math.max(250, Math.min(400, width * 0.56));
      const box = { left: 44, right: width - 12, top: 20, bottom: height - 40 };
      const xs = cost.log ? logAxis(points.map((p) => p.value)) : linearAxis(points.map((p) => p.value), cost.scale);
      const ys = scoreAxis(points);
      const x = (v) => box.left + xs.share(v) * (box.right - box.left);
      const y = (v) => box.bottom - Math.max(0, Math.min(1, ys.share(v))) * (box.bottom - box.top);
      const svg = add(canvas, "svg", { class: points.length > 25 ? "many" : "", viewBox: `0 0 ${width} ${height}`, height, role: "group", "aria-label": `${score.title} by ${cost.title}: arrow keys move between methods, Enter opens one` });
      for (const [v, text] of ys.ticks) {
        add(svg, "path", { class: "grid", d: `M${box.left} ${y(v)}H${box.right}` });
        add(svg, "text", { x: box.left - 7, y: y(v) + 4, "text-anchor": "end" }, text);
      }
      let edge = -Infinity;
      for (const [v, text] of xs.ticks) {
        const half = text.length * 3.4;
        if (x(v) - half < edge + 6) continue;
        edge = x(v) + half;
        add(svg, "text", { x: x(v), y: box.bottom + 16, "text-anchor": "middle" }, text);
      }
      add(svg, "path", { class: "axis", d: `M${box.left} ${box.bottom}H${box.right}` });
      if (xs.gap !== null) {
        const gap = box.left + xs.gap * (box.right - box.left);
        add(svg, "path", { class: "break", d: `M${gap} ${box.top}V${box.bottom}` });
      }
      add(svg, "text", { x: (box.left + box.right) / 2, y: height - 5, "text-anchor": "middle" }, cost.title + (cost.log ? " (log)" : ""));
      add(svg, "text", { x: 2, y: 9 }, `${score.title} x100`);
      const best = front(points, cost.up);
      const line = [];
      if (!cost.mixed) {
        const steps = [...best].sort((a, b) => (cost.up ? b.value - a.value : a.value - b.value) || b.score[0] - a.score[0]);
        let d = `M${x(steps[0].value)} ${y(steps[0].score[0])}`;
        steps.forEach((p, k) => {
          const end = k + 1 < steps.length ? x(steps[k + 1].value) : cost.up ? box.left : box.right;
          line.push([Math.min(x(p.value), end), y(p.score[0]) - 1, Math.max(x(p.value), end), y(p.score[0]) + 1]);
          if (k) d += `H${x(p.value)}V${y(p.score[0])}`;
        });
        add(svg, "path", { class: "front", d: d + `H${cost.up ? box.left : box.right}` });
      }
      const placed = points.map((p) => ({ ...p, x: x(p.value), y: y(p.score[0]) }));
      const taken = [...line, ...placed.map((p) => [p.x - 7, p.y - 7, p.x + 7, p.y + 7])];
      placed.sort((a, b) => a.x - b.x || a.y - b.y);
      const onFront = (p) => !cost.mixed && best.some((b) => b.id === p.id);
      const marks = placed.map((p) => mark(svg, p, y, score, cost, onFront(p)));
      // The front's names come first where there is not room for all.
      const order = placed.map((p, at) => [p, marks[at]]).sort(([a], [b]) => onFront(b) - onFront(a));
      for (const [p, link] of order) name(link, p, box, taken);
      rove(marks);
    }

    function mark(svg, p, y, score, cost, onFront) {
      const seeds = `${p.score[3]} seed${p.score[3] === 1 ? "" : "s"}`;
      const spread = p.score[1] === null ? seeds : `95 % interval ${p.score[1].toFixed(1)} to ${p.score[2].toFixed(1)}, ${seeds}`;
      const lines = [`${score.title} ${p.score[0].toFixed(1)} (${spread})`, `${cost.title.split(",")[0]}: ${p.text}`];
      if (onFront) lines.push("on the Pareto front");
      const link = add(svg, "a", { class: `point c${p.colour} ${p.fill}`, href: p.href, "aria-label": [p.label, ...lines].join("; "), "data-id": p.id });
      if (p.score[1] !== null) add(link, "path", { class: "reach", d: `M${p.x} ${y(p.score[1])}V${y(p.score[2])}` });
      add(link, "circle", { class: "ring", cx: p.x, cy: p.y, r: 10, "pointer-events": "all" });
      add(link, "path", { class: "dot", d: MARKS[p.marker], transform: `translate(${p.x} ${p.y})` });
      const show = () => { tell(p, lines); rowOf(p.id)?.classList.add("lit"); };
      const hide = () => { tip.remove(); rowOf(p.id)?.classList.remove("lit"); };
      link.addEventListener("pointerenter", show);
      link.addEventListener("pointerleave", hide);
      link.addEventListener("focus", show);
      link.addEventListener("blur", hide);
      return link;
    }

    // The first free place around the point; a name without one is left to the tip.
    function name(link, p, box, taken) {
      const text = p.label.length > 30 ? `${p.label.slice(0, 29)}…` : p.label;
      const wide = text.length * 6.2;
      for (const [dx, dy, anchor] of [[10, 4, "start"], [-10, 4, "end"], [0, -11, "middle"], [0, 19, "middle"], [9, -9, "start"], [9, 16, "start"], [-9, -9, "end"], [-9, 16, "end"]]) {
        const start = p.x + dx - (anchor === "end" ? wide : anchor === "middle" ? wide / 2 : 0);
        const place = [start, p.y + dy - 10, start + wide, p.y + dy + 3];
        if (place[0] < box.left || place[2] > box.right + 10 || place[1] < 0 || place[3] > box.bottom) continue;
        if (taken.some((o) => place[0] < o[2] && place[2] > o[0] && place[1] < o[3] && place[3] > o[1])) continue;
        taken.push(place);
        add(link, "text", { class: "name", x: p.x + dx, y: p.y + dy, "text-anchor": anchor }, text);
        return;
      }
    }

    function tell(p, lines) {
      const head = document.createElement("b");
      head.textContent = p.label;
      tip.replaceChildren(head, ...lines.map((line) => Object.assign(document.createElement("span"), { textContent: line })));
      canvas.append(tip);
      tip.style.left = `${Math.max(0, Math.min(p.x + 14, canvas.clientWidth - tip.offsetWidth))}px`;
      tip.style.top = `${p.y > tip.offsetHeight + 14 ? p.y - tip.offsetHeight - 12 : p.y + 14}px`;
    }

    // One stop for the Tab key; arrows go from point to point.
    function rove(marks) {
      const first = Math.max(0, marks.findIndex((one) => one.dataset.id === current));
      marks.forEach((one, at) => {
        one.setAttribute("tabindex", at === first ? "0" : "-1");
        one.addEventListener("keydown", (event) => {
          const to = { ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, Home: 0, End: marks.length - 1 }[event.key];
          if (to === undefined) return;
          event.preventDefault();
          const next = marks[(to + marks.length) % marks.length];
          marks.forEach((other) => other.setAttribute("tabindex", other === next ? "0" : "-1"));
          current = next.dataset.id;
          next.focus();
        });
      });
    }

    for (const axis of ["score", "cost"]) pick(axis).addEventListener("change", draw);
    table.addEventListener("filtered", draw);
    const light = (event, on) => {
      const id = event.target.closest("tr")?.dataset.row;
      if (id) canvas.querySelector(`[data-id="${CSS.escape(id)}"]`)?.classList.toggle("lit", on);
    };
    for (const kind of ["pointerover", "focusin"]) table.addEventListener(kind, (event) => light(event, true));
    for (const kind of ["pointerout", "focusout"]) table.addEventListener(kind, (event) => light(event, false));
    let width = 0;
    new ResizeObserver(() => {
      if (canvas.clientWidth === width) return;
      width = canvas.clientWidth;
      draw();
    }).observe(canvas);
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".theme").forEach(themeButton);
    document.querySelectorAll("table[data-table]").forEach((table) => { sortable(table); filter(table); });
    document.querySelectorAll("input[data-spread]").forEach((input) => {
      const apply = () => { if (input.checked) document.getElementById(input.dataset.spread).dataset.spread = input.value; };
      input.addEventListener("change", apply);
      apply();
    });
    document.querySelectorAll("[data-plot]").forEach(plot);
  });
})();
