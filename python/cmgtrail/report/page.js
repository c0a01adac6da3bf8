"use strict";
// Lists, filters and draws the flows. Text reaches the page as text nodes and attributes alone, never as markup.
(() => {
  const BATCH = 100;
  const flows = JSON.parse(document.getElementById("index").textContent);
  const body = document.getElementById("rows");
  let parsed = null;
  const details = () => (parsed ??= JSON.parse(document.getElementById("details").textContent));

  const SVG = "http://www.w3.org/2000/svg";
  const fill = (element, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const make = (name, attributes = {}, ...children) => fill(document.createElement(name), attributes, children);
  const draw = (name, attributes = {}, ...children) => fill(document.createElementNS(SVG, name), attributes, children);
  const badge = (word) => make("span", { class: `badge ${word}` }, word);

  // The diagram: a column for each machine, a row for each step.
  const GUTTER = 130, LANE = 190, ROW = 46, TOP = 74;
  function diagram(place, about) {
    const left = new Set(details().flows[place].between);
    const region = make("div", { class: "wide", role: "region", tabindex: "0",
      "aria-label": `${about} of ${flows[place].id}` }, drawing(place, left));
    if (left.size) {
      const all = make("button", { type: "button", class: "whole-drawing" }, `Draw all ${flows[place].attempts} attempts`);
      all.addEventListener("click", () => { region.replaceChildren(drawing(place, new Set())); region.focus(); });
      region.prepend(all);
    }
    return region;
  }
  function drawing(place, left) {
    const { texts, flows: all } = details();
    const flow = all[place];
    const lanes = flow.lanes, steps = flow.steps.filter((step) => !left.has(step[0]));
    const x = (lane) => GUTTER + LANE / 2 + lane * LANE;
    const y = [];
    let bottom = TOP;
    const begins = (i) => !i || steps[i][0] !== steps[i - 1][0];
    const resumed = left.size ? steps.findIndex((step) => step[0] > Math.max(...left)) : -1;
    steps.forEach((step, i) => {
      if (i && begins(i)) bottom += 26;
      if (i === resumed) bottom += 26;
      y.push((bottom += ROW) - 12);
      if (step[9]) bottom += 24;
    });
    const width = GUTTER + LANE * lanes.length + 10, height = bottom + 16;
    const svg = draw("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": flow.words });
    lanes.forEach(([label, hosts, ahead], lane) => svg.append(...column(x(lane), height, label, hosts, ahead, steps, lane)));
    steps.forEach((step, i) => {
      if (i === resumed)
        svg.append(draw("text", { x: 4, y: y[i] - 54, class: "quiet" }, `${left.size} attempts in between are not drawn`));
      if (steps.at(-1)[0] > 1 && begins(i))
        svg.append(draw("text", { x: 4, y: y[i] - 30, class: "head" }, `Attempt ${step[0]}`));
      svg.append(...row(step, texts[step[1]], x, y[i]));
      if (step[9]) svg.append(...broken(width, y[i] + 22, step[9]));
    });
    return svg;
  }
  function column(x, height, label, hosts, ahead, steps, lane) {
    const silent = !steps.some((step) => step[3] === lane);
    const parts = [
      draw("line", { x1: x, x2: x, y1: 58, y2: height - 4, class: silent ? "lane none" : "lane" }),
      draw("rect", { x: x - 86, y: 4, width: 172, height: 54, rx: 5, class: "box" }),
      draw("text", { x, y: 21, "text-anchor": "middle", class: "head" }, label),
    ];
    const name = silent && !hosts ? "no line of it here" : hosts;
    const short = name.length > 24 ? `${name.slice(0, 23)}…` : name;
    parts.push(draw("text", { x, y: 37, "text-anchor": "middle", class: "quiet" }, short, draw("title", {}, name)));
    if (ahead !== null && ahead !== undefined && !silent) {
      const words = ahead ? `clock ${Math.abs(ahead).toFixed(1)} s ${ahead > 0 ? "ahead" : "behind"}` : "reference clock";
      parts.push(draw("text", { x, y: 52, "text-anchor": "middle", class: "quiet" }, words));
    }
    return parts;
  }
  function row([, , mark, writer, origin, target, lines, at, delay, , doubt], stage, x, y) {
    const sign = { fail: "✗ ", ok: "✓ ", start: "" }[mark];
    const words = `${sign}${stage}${lines > 1 ? ` (${lines} lines)` : ""}${doubt ? ` · ${doubt.split(",")[0]}` : ""}`;
    const from = x(origin), to = x(target);
    const group = draw("g", { class: mark });
    if (from === to) {
      group.append(draw("circle", { cx: from, cy: y, r: 5, class: "tip" }));
    } else {
      const way = Math.sign(to - from);
      group.append(draw("line", { x1: from, x2: to - way * 8, y1: y, y2: y, class: "way" }));
      group.append(draw("path", { d: `M${to} ${y}l${-way * 10} -5v10z`, class: "tip" }));
      group.append(draw("circle", { cx: x(writer), cy: y, r: 3.5, class: "tip" }));
    }
    const middle = from === to ? from : from + (Math.sign(to - from) * LANE) / 2;
    group.append(draw("text", { x: middle, y: y - 9, "text-anchor": "middle", class: "halo" }, words,
      ...(doubt ? [draw("title", {}, `Belongs here: ${doubt}`)] : [])));
    const time = [draw("text", { x: 4, y: y + 4, class: "quiet" }, at || "time unknown")];
    if (delay) time.push(draw("text", { x: 4, y: y - 11, class: "quiet" }, delay));
    return [...time, group];
  }
  const broken = (width, y, words) => [
    draw("line", { x1: 4, x2: width - 4, y1: y - 10, y2: y - 10, class: "break" }),
    draw("text", { x: 4, y: y + 5, class: "breakword" }, words[0].toUpperCase() + words.slice(1)),
  ];

  // A flow, unfolded.
  function unfolded(place) {
    const { texts, flows: all } = details();
    const flow = all[place];
    const stages = flow.stages.map(([stage, status, inferred, reason]) =>
      make("li", {}, make("b", {}, texts[stage]), " ", make("span", { class: texts[status] }, texts[status]),
        inferred ? " (inferred)" : "", texts[reason] ? `: ${texts[reason]}` : ""));
    const heads = ["Attempt", "Time (UTC)", "Stage", "Mark", "Line", "Joined by", "Text"];
    const lines = flow.lines.map(([attempt, stage, mark, at, source, line, text, join]) =>
      make("tr", {}, ...[String(attempt), at, texts[stage], texts[mark]].map((word) => make("td", {}, word)),
        make("td", {}, make("code", {}, `${texts[source]}:${line}`)), make("td", {}, texts[join]),
        make("td", {}, texts[text])));
    const table = make("table", { class: "lines" },
      make("thead", {}, make("tr", {}, ...heads.map((word) => make("th", { scope: "col" }, word)))),
      make("tbody", {}, ...lines));
    const ids = [flows[place].id, ...flows[place].ids];
    return make("td", { colspan: "6" }, make("p", { class: "quiet" }, ids.join(" · ")), diagram(place, "Diagram"),
      make("h3", {}, "Stages"), make("ul", { class: "stages" }, ...stages), make("h3", {}, "Lines"),
      make("div", { class: "wide", role: "region", tabindex: "0", "aria-label": `Lines of ${flows[place].id}` }, table));
  }

  function fold(button, place, open) {
    const row = button.closest("tr");
    if ((button.getAttribute("aria-expanded") === "true") === open) return;
    button.setAttribute("aria-expanded", String(open));
    if (open) row.after(make("tr", { class: "detail", id: `detail-${place}` }, unfolded(place)));
    else row.nextElementSibling.remove();
  }

  function listed(place) {
    const flow = flows[place];
    const button = make("button", { type: "button", "aria-expanded": "false", "aria-controls": `detail-${place}` },
      flow.client);
    button.addEventListener("click", () => fold(button, place, button.getAttribute("aria-expanded") !== "true"));
    const tries = flow.attempts > 1 ? ` (${flow.attempts} attempts)` : "";
    return make("tr", { id: `flow-${place}` }, make("td", {}, button), make("td", {}, flow.kind),
      make("td", {}, flow.started), make("td", {}, badge(flow.outcome), tries), make("td", {}, flow.broke),
      make("td", {}, flow.causes.join(", ")));
  }

  // Search, filters, order.
  const field = (name) => document.getElementById(name);
  const choices = { "by-outcome": "outcome", "by-kind": "kind", "by-broke": "broke", "by-cause": "causes" };
  let kept = flows.map((_, place) => place), shown = 0, order = null;

  // A flow is kept where each word stands in what is said of it, in its lines, or in what proves one of its causes.
  function matching(words) {
    const each = words.split(/\s+/).filter(Boolean).map(telling);
    return (place) => each.every((tells) => tells(place));
  }
  function telling(word) {
    const within = (text) => text.toLowerCase().includes(word);
    const about = (flow) =>
      [flow.client, flow.id, ...flow.ids, flow.broke, flow.kind, flow.outcome, flow.started, ...flow.causes];
    const { texts, flows: all } = details();
    const texted = new Set();
    texts.forEach((text, number) => within(text) && texted.add(number));
    const proven = new Set([...document.querySelectorAll("article[data-cause]")]
      .filter((cause) => [...cause.querySelectorAll("h3, .excerpt")].some((part) => within(part.textContent)))
      .map((cause) => cause.dataset.cause));
    return (place) => about(flows[place]).some(within) || flows[place].causes.some((cause) => proven.has(cause)) ||
      (texted.size > 0 && all[place].lines.some((line) => texted.has(line[6]) || texted.has(line[4])));
  }

  function refresh() {
    const match = matching(field("search").value.trim().toLowerCase());
    const wanted = Object.entries(choices).map(([id, part]) => [part, field(id).value]).filter(([, word]) => word);
    kept = flows.map((_, place) => place).filter((place) =>
      wanted.every(([part, word]) => [flows[place][part]].flat().includes(word)) && match(place));
    if (order) {
      const [part, sign] = order;
      const key = (place) => String(flows[place][part]);
      kept.sort((a, b) => sign * key(a).localeCompare(key(b)) || a - b);
    } else {
      // What broke is what the reader came for.
      const whole = (place) => Number(flows[place].outcome === "completed");
      kept.sort((a, b) => whole(a) - whole(b) || a - b);
    }
    body.replaceChildren();
    shown = 0;
    grow();
  }

  function clear(cause = "") {
    for (const id of ["search", ...Object.keys(choices)]) field(id).value = "";
    field("by-cause").value = cause;
    refresh();
  }

  function grow(least = 0) {
    const next = kept.slice(shown, Math.max(shown + BATCH, least));
    body.append(...next.map(listed));
    shown += next.length;
    field("more").hidden = shown >= kept.length;
    field("more").textContent = `Show more (${(kept.length - shown).toLocaleString("en")} left)`;
    const seen = shown < kept.length ? `, the first ${shown.toLocaleString("en")} are listed` : "";
    field("count").textContent =
      `${kept.length.toLocaleString("en")} of ${flows.length.toLocaleString("en")} flows${seen}`;
  }

  function reveal() {
    const place = Number(/^#flow-(\d+)$/.exec(location.hash)?.[1] ?? NaN);
    if (!(place < flows.length)) return;
    if (!kept.includes(place)) clear();
    if (kept.indexOf(place) >= shown) grow(kept.indexOf(place) + 1);
    const button = field(`flow-${place}`).querySelector("button");
    fold(button, place, true);
    button.focus({ preventScroll: true });
    field(`flow-${place}`).scrollIntoView();
  }

  function prepare() {
    for (const [id, part] of Object.entries(choices)) {
      const words = [...new Set(flows.flatMap((flow) => flow[part]))].filter(Boolean).sort();
      field(id).append(...words.map((word) => make("option", { value: word }, word)));
      field(id).addEventListener("change", refresh);
    }
    let waiting;
    field("search").addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(refresh, 120); });
    field("filters").addEventListener("submit", (event) => { event.preventDefault(); refresh(); });
    field("filters").addEventListener("reset", (event) => { event.preventDefault(); clear(); });
    field("more").addEventListener("click", () => {
      const first = shown;
      grow();
      body.querySelector(`#flow-${kept[first]} button`)?.focus();
    });
    for (const head of document.querySelectorAll("th[data-by]")) {
      const button = make("button", { type: "button" }, head.textContent);
      button.addEventListener("click", () => {
        const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
        document.querySelectorAll("th[aria-sort]").forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
        order = [head.dataset.by, sign];
        refresh();
      });
      head.replaceChildren(button);
    }
    for (const button of document.querySelectorAll("button.only"))
      button.addEventListener("click", () => {
        clear(button.dataset.cause);
        field("flows").scrollIntoView();
        field("by-cause").focus({ preventScroll: true });
      });
    field("filters").hidden = false;
    refresh();
  }

  function illustrate() {
    document.querySelectorAll(".diagram").forEach((spot, place) => {
      if (!spot.hasChildNodes()) spot.append(diagram(Number(spot.dataset.flow), `Example ${place + 1}`));
    });
  }

  addEventListener("beforeprint", illustrate);
  addEventListener("hashchange", reveal);
  if (flows.length) {
    prepare();
    reveal();
    setTimeout(() => {
      illustrate();
      document.documentElement.dataset.ready = "yes";
    });
  } else document.documentElement.dataset.ready = "yes";
})();
