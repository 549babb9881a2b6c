// The review page. Whatever comes from a paper is put on the page as text, never as markup.
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const block = $("data");
  const offline = block !== null;
  const KEPT = "paperclaims-verdicts";

  function el(name, attributes, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes || {})) {
      if (key === "on") for (const [event, act] of Object.entries(value)) made.addEventListener(event, act);
      else if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }

  // --- where data comes from: the server, or the file itself ---

  async function get(address) {
    const answer = await fetch(address, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer;
  }

  function served() {
    const papers = new Map();
    return {
      begin: async () => (await get("api/begin")).json(),
      index: async (table) => (await get(`api/index?table=${encodeURIComponent(table)}`)).json(),
      paper: (id) => {
        if (!papers.has(id)) {
          if (papers.size > 200) papers.clear();
          const asked = get(`api/paper?id=${encodeURIComponent(id)}`).then((answer) => answer.json());
          asked.catch(() => papers.delete(id));
          papers.set(id, asked);
        }
        return papers.get(id);
      },
      rule: async (path) => (await get(`api/rule?path=${encodeURIComponent(path)}`)).text(),
      search: async (words) => new Set(await (await get(`api/search?q=${encodeURIComponent(words)}`)).json()),
      judge: async (verdict) => {
        const answer = await fetch("api/verdict", {
          method: "POST", credentials: "same-origin",
          headers: { "Content-Type": "application/json" }, body: JSON.stringify(verdict),
        });
        if (!answer.ok) throw new Error(await answer.text());
        return answer.json();
      },
    };
  }

  function embedded() {
    const data = JSON.parse(block.textContent);
    const me = () => $("who").value.trim() || "me";
    $("named").hidden = false;
    const kept = [];
    try {
      for (const line of (localStorage.getItem(KEPT + location.pathname) || "").split("\n")) if (line) kept.push(JSON.parse(line));
    } catch { /* a browser that keeps nothing for files: verdicts last as long as the page */ }
    const keep = (record) => {
      kept.push(record);
      try { localStorage.setItem(KEPT + location.pathname, kept.map((one) => JSON.stringify(one)).join("\n")); } catch { /* likewise */ }
    };
    const standing = () => {
      const undone = new Set(kept.filter((one) => one.verdict === "undo").map((one) => one.said));
      return kept.filter((one) => one.verdict !== "undo" && !undone.has(one.id));
    };
    const of = (claim) => {
      const mine = standing().filter((one) => one.claim === claim && one.who === me()).slice(-1);
      const told = mine.map((one) => ({ ...one, stale: false, judged: one.verdict !== "skip" }));
      return [...(data.verdicts[claim] || []).filter((one) => one.who !== me()), ...told];
    };
    const download = $("download");
    download.hidden = false;
    download.addEventListener("click", () => {
      const file = new Blob(kept.map((one) => JSON.stringify(one) + "\n"), { type: "application/jsonl" });
      const link = el("a", { href: URL.createObjectURL(file), download: "verdicts.jsonl" });
      link.click();
      URL.revokeObjectURL(link.href);
    });
    return {
      begin: async () => {
        const verdicts = { ...data.verdicts };
        for (const one of standing()) verdicts[one.claim] = of(one.claim);
        return { setup: { ...data.setup, get who() { return me(); } }, verdicts, conflicts: [] };
      },
      index: async (table) => data.index[table] || [],
      paper: async (id) => data.papers[id],
      rule: async (path) => data.rules[path] || "",
      search: async (words) => {
        const wanted = words.toLowerCase();
        const found = Object.values(data.papers).filter((one) => `${one.paper_id}\n${one.title}\n${one.abstract}`.toLowerCase().includes(wanted));
        return new Set(found.map((one) => one.paper_id));
      },
      judge: async (said) => {
        const id = crypto.randomUUID ? crypto.randomUUID().replaceAll("-", "") : String(Math.random()).slice(2);
        if (said.verdict === "undo") {
          const last = standing().filter((one) => one.who === me()).at(-1);
          if (!last) throw new Error("nothing to undo");
          keep({ ...last, id, when: new Date().toISOString(), verdict: "undo", said: last.id, fields: {} });
          return { undone: last.claim, verdicts: of(last.claim) };
        }
        const paper = data.papers[said.paper_id];
        const card = paper.claims.find((one) => one.claim === said.claim) || {};
        const place = said.place || { field: card.field, start: card.start, end: card.end, surface: card.surface };
        const text = Array.from(paper[place.field] || "");
        place.surface = text.slice(place.start, place.end).join("");
        const claim = said.claim || `missed-${said.table}-${said.paper_id}-${place.field}-${place.start}`;
        keep({
          id, who: me(), when: new Date().toISOString(), verdict: said.verdict, claim, table: said.table,
          paper_id: said.paper_id, text_sha256: paper.text_sha256, rule: card.rule || "", rules: "",
          queue: said.queue, said: "", fields: said.fields || {}, place, note: said.note || "",
        });
        return { claim, verdicts: of(claim) };
      },
    };
  }

  // --- what is shown ---

  const source = offline ? embedded() : served();
  const QUEUES = [
    ["flagged", "flagged first"], ["sample", "random sample"], ["rule", "by rule"],
    ["benchmark", "by benchmark"], ["changed", "changed since"], ["missed", "perhaps missed"],
    ["conflicts", "conflicts"], ["stale", "stale verdicts"], ["all", "in order of the text"],
  ];
  const state = { setup: null, verdicts: {}, conflicts: new Set(), index: [], table: "gains", queue: [], at: 0, paper: null, card: null, mode: "look" };
  let doing = Promise.resolve();

  const mine = (claim) => (state.verdicts[claim] || []).find((one) => one.who === state.setup.who);
  const judged = (claim) => { const one = mine(claim); return one !== undefined && !one.stale; };

  function say(text, bad) {
    $("said").textContent = text;
    $("said").classList.toggle("bad", Boolean(bad));
  }

  // Every act waits for the one before: no key is lost, none acts on the wrong claim.
  function act(work) {
    doing = doing.then(work).catch((error) => say(`Not kept: ${error.message}`, true));
    return doing;
  }

  function options(select, values, chosen) {
    select.replaceChildren(...values.map(([value, name]) => el("option", { value, selected: value === chosen }, name)));
  }

  async function load(table) {
    state.table = table;
    const rows = await source.index(table);
    state.index = rows.map(([claim, paper, rule, benchmark, severity, checks, rank, changed], at) =>
      ({ claim, paper, rule, benchmark, severity, checks, rank, changed, at }));
    const facet = (name, pick) => {
      const counts = new Map();
      for (const one of state.index) for (const value of pick(one)) if (value) counts.set(value, (counts.get(value) || 0) + 1);
      const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 500);
      options($(name), [["", "any"], ...sorted.map(([value, count]) => [value, `${value} (${count})`])], "");
    };
    facet("rule", (one) => [one.rule]);
    facet("benchmark", (one) => one.benchmark.split("; "));
    facet("check", (one) => one.checks);
  }

  async function choose(wanted) {
    const queue = $("queue").value;
    const table = queue === "missed" ? "numbers" : $("table").value;
    if (table !== state.table) await load(table);
    const [rule, benchmark, check, shown, words] = ["rule", "benchmark", "check", "state", "search"].map((id) => $(id).value);
    const papers = words.trim() ? await source.search(words.trim()) : null;
    let list = state.index.filter((one) =>
      (!rule || one.rule === rule) && (!benchmark || one.benchmark.split("; ").includes(benchmark)) &&
      (!check || one.checks.includes(check)) && (!papers || papers.has(one.paper)));
    const conflicting = (one) => new Set((state.verdicts[one.claim] || []).filter((said) => said.judged).map((said) => said.verdict + JSON.stringify(said.fields))).size > 1;
    if (queue === "flagged") list = list.filter((one) => one.severity < 9).sort((a, b) => a.severity - b.severity || a.at - b.at);
    if (queue === "sample") list.sort((a, b) => a.rank - b.rank);
    if (queue === "rule") list.sort((a, b) => (a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : a.rank - b.rank));
    if (queue === "benchmark") list = list.filter((one) => one.benchmark).sort((a, b) => (a.benchmark < b.benchmark ? -1 : a.benchmark > b.benchmark ? 1 : a.at - b.at));
    if (queue === "changed") list = list.filter((one) => one.changed);
    if (queue === "conflicts") list = list.filter((one) => state.conflicts.has(one.claim) || conflicting(one));
    if (queue === "stale") list = list.filter((one) => (state.verdicts[one.claim] || []).some((said) => said.stale));
    const all = list.length;
    const done = list.filter((one) => judged(one.claim)).length;
    const whole = queue === "conflicts" || queue === "stale" || shown === "all";
    if (!whole) list = list.filter((one) => judged(one.claim) === (shown === "judged"));
    state.queue = list;
    state.progress = { all, done };
    state.at = Math.max(0, wanted ? list.findIndex((one) => one.claim === wanted) : 0);
    await show();
  }

  function progress() {
    const { all, done } = state.progress;
    $("progress").max = Math.max(1, all);
    $("progress").value = done;
    const at = state.queue.length ? `${state.at + 1} of ${state.queue.length}` : "none";
    $("count").textContent = `${at} in this queue, ${done} of ${all} judged`;
  }

  async function show(focus = true) {
    const one = state.queue[state.at];
    state.mode = "look";
    progress();
    listed();
    if (!one) {
      state.card = state.paper = null;
      const stale = gone();
      $("card").replaceChildren(el("h2", {}, "Nothing here"), el("p", {}, "This queue is done, or holds nothing. Choose another above."), ...(stale ? [stale] : []));
      return;
    }
    state.paper = await source.paper(one.paper);
    state.card = state.paper.claims.find((card) => card.claim === one.claim);
    draw();
    if (focus && document.activeElement !== $("card") && !typing(document.activeElement)) $("card").focus({ preventScroll: true });
    try { history.replaceState(null, "", `#claim=${state.table}/${one.claim}`); } catch { /* too many in a row */ }
    const next = state.queue[state.at + 1];
    if (next) source.paper(next.paper);
  }

  function gone() {
    const stale = Object.entries(state.verdicts).filter(([claim, said]) => said.some((one) => one.stale));
    return stale.length && $("queue").value === "stale"
      ? el("p", {}, `${stale.length} verdicts were given on texts that have changed since, or on papers that are gone; those whose claim is still made are listed here.`) : null;
  }

  function listed() {
    const coming = state.queue.slice(state.at + 1, state.at + 6);
    $("list").replaceChildren(...coming.map((one) => el("li", {},
      el("a", { href: `#claim=${state.table}/${one.claim}` }, `${one.rule}${one.benchmark ? `, ${one.benchmark}` : ""}${one.checks.length ? `: ${one.checks.join(", ")}` : ""}`))));
  }

  const points = (text) => Array.from(text);

  function marked(text, from, to, parts) {
    const letters = points(text);
    const out = [];
    let at = from;
    for (const [start, end, part] of parts) {
      if (start < at || end > to) continue;
      if (start > at) out.push(letters.slice(at, start).join(""));
      out.push(el("mark", { class: part }, letters.slice(start, end).join(""), el("small", {}, part)));
      at = end;
    }
    out.push(letters.slice(at, to).join(""));
    return out;
  }

  const shown = (value) => (Array.isArray(value) ? value.join("; ") || "–" : value === null || value === undefined || value === "" ? "–" : String(value));

  function findings(list) {
    return list.map((one) => el("li", { class: one.severity }, el("b", {}, `${one.severity}: ${one.check}`), ` ${one.message}`,
      one.expected !== null ? `; expected ${one.expected}` : "", one.found !== null ? `; found ${one.found}` : ""));
  }

  function draw() {
    const { paper, card } = state;
    const text = paper[card.field];
    const [from, to] = card.sentence;
    const rule = el("details", {}, el("summary", {}, `Rule ${card.rule}`), el("pre", { tabindex: 0 }, "…"));
    rule.addEventListener("toggle", async () => { if (rule.open) rule.querySelector("pre").textContent = await source.rule(card.rule); });
    const said = (state.verdicts[card.claim] || []).map((one) => el("p", { class: `verdict${one.stale ? " stale" : ""}` },
      `${one.who}: ${one.verdict}${one.note ? ` (${one.note})` : ""}${one.stale ? ", on a text that has changed since" : ""}`));
    const added = Object.values(state.verdicts).flat().filter((one) => one.verdict === "missed" && one.paper_id === paper.paper_id);
    const url = /^https?:\/\//.test(paper.url || "") ? el("a", { href: paper.url, rel: "noreferrer noopener", target: "_blank" }, "paper") : null;
    const fields = state.setup.editable[card.table] || [];
    const judgedFields = (mine(card.claim) || {}).fields || {};
    const list = el("dl", {}, ...fields.flatMap((name) => {
      const value = card.fields[name];
      const fixed = name in judgedFields ? ` → ${shown(judgedFields[name])}` : "";
      return shown(value) === "–" && !fixed ? [] : [el("dt", {}, name.replaceAll("_", " ")), el("dd", {}, shown(value) + fixed)];
    }));
    const both = [...card.findings, ...paper.findings];
    $("card").replaceChildren(...[
      el("h2", {}, paper.title || "Untitled"),
      el("p", { class: "from" }, `${paper.paper_id} · ${card.table === "numbers" ? "a number that may be missed" : card.table} · ${card.field} `, url),
      el("p", { class: "sentence", id: "sentence", "data-field": card.field, "data-from": from }, ...marked(text, from, to, card.parts)),
      ...said,
      el("div", { class: "columns" },
        el("section", { id: "fields", "aria-label": "Record" }, el("h3", {}, card.table === "numbers" ? "Number" : "Record"),
          card.table === "numbers" ? el("p", {}, card.surface) : list),
        el("section", { "aria-label": "Audit" }, el("h3", {}, "Audit"),
          both.length ? el("ul", { class: "findings" }, ...findings(both)) : el("p", {}, "Nothing against it."), rule)),
      added.length ? el("section", {}, el("h3", {}, "Added here"), el("ul", {}, ...added.map((one) => el("li", {}, `${one.table}: ${one.place.surface}`)))) : null,
      el("details", { open: card.table === "numbers" }, el("summary", {}, "Whole abstract"),
        el("p", { class: "text", id: "abstract", "data-field": "abstract", "data-from": 0 }, paper.abstract)),
    ].filter(Boolean));
    $("card").setAttribute("aria-label", `Claim ${state.at + 1} of ${state.queue.length}`);
    $("card").classList.remove("moved");
    requestAnimationFrame(() => $("card").classList.add("moved"));
  }

  // --- verdicts ---

  function told(answer, claim) {
    if (answer.verdicts.length) state.verdicts[claim] = answer.verdicts;
    else delete state.verdicts[claim];
  }

  async function judge(verdict, extra) {
    const { card, paper } = state;
    if (!card) return;
    const before = judged(card.claim);
    const answer = await source.judge({ verdict, claim: card.claim, table: card.table, paper_id: paper.paper_id, queue: $("queue").value, ...extra });
    told(answer, card.claim);
    if (!before) state.progress.done += 1;
    const words = { accept: "Accepted", reject: "Rejected", edit: "Corrected", skip: "Skipped" };
    await move(1, words[verdict]);
  }

  async function move(by, what) {
    const to = state.at + by;
    if (to < 0) return say("This is the first.");
    if (to >= state.queue.length) {
      if (!what) return say("This is the last.");
      await show();
      return say(`${what}. That was the last of this queue.`);
    }
    state.at = to;
    await show();
    const one = state.card;
    say(`${what ? `${what}. ` : ""}Next: ${one.surface}, ${one.table}, ${one.findings.length} findings.`);
  }

  async function undo() {
    const answer = await source.judge({ verdict: "undo" });
    const claim = answer.undone;
    if (state.verdicts[claim] && judged(claim)) state.progress.done = Math.max(0, state.progress.done - 1);
    told(answer, claim);
    const at = state.queue.findIndex((one) => one.claim === claim);
    if (at >= 0) state.at = at;
    await show();
    say("Taken back.");
  }

  function input(table, name, value) {
    const choices = state.setup.choices[`${table}.${name}`];
    const id = `field-${name}`;
    if (choices) {
      const select = el("select", { id, name });
      options(select, [["", "–"], ...choices.map((one) => [one, one])], value ?? "");
      return select;
    }
    const numeric = state.setup.numeric.includes(name);
    return el("input", { id, name, value: Array.isArray(value) ? value.join("; ") : value ?? "", inputmode: numeric ? "decimal" : null, autocomplete: "off", spellcheck: "false" });
  }

  function form(table, fields, values, save, head) {
    const inputs = fields.map((name) => input(table, name, values[name]));
    const made = el("form", { class: "editing", "aria-label": head }, el("h3", {}, head),
      ...inputs.map((one, at) => el("label", {}, fields[at].replaceAll("_", " "), one)),
      el("label", {}, "note", el("input", { name: "note", autocomplete: "off" })),
      el("div", { class: "choices" }, el("button", { type: "submit", class: "primary" }, "Save (Enter)"),
        el("button", { type: "button", on: { click: leave } }, "Cancel (Esc)")));
    made.addEventListener("submit", (event) => {
      event.preventDefault();
      act(() => save(new FormData(made)));
    });
    return made;
  }

  function leave() {
    act(async () => { await show(false); $("card").focus({ preventScroll: true }); say("Cancelled."); });
  }

  const typed = (table, name, text) => {
    if (name === "qualifiers" || name === "benchmarks") return text.split(";").map((one) => one.trim()).filter(Boolean);
    return text.trim() === "" ? null : state.setup.numeric.includes(name) ? Number(text.replaceAll(",", "")) : text.trim();
  };

  function edit() {
    const { card } = state;
    const fields = card ? state.setup.editable[card.table] : [];
    if (!fields.length) return say("Nothing to edit here.");
    state.mode = "edit";
    const made = form(card.table, fields, card.fields, async (given) => {
      const changed = {};
      for (const name of fields) {
        const value = typed(card.table, name, given.get(name));
        if (typeof value === "number" && Number.isNaN(value)) throw new Error(`${name} is not a number`);
        if (JSON.stringify(value) !== JSON.stringify(card.fields[name] ?? (Array.isArray(value) ? [] : null))) changed[name] = value;
      }
      if (!Object.keys(changed).length) throw new Error("no field was changed");
      await judge("edit", { fields: changed, note: given.get("note") });
    }, "Correct the record");
    $("fields").replaceChildren(made);
    made.querySelector("input, select").focus();
    say("Edit: Enter saves, Escape cancels.");
  }

  // The selected words and where they stand, in code points of the text.
  function selected() {
    const selection = window.getSelection();
    if (!selection || selection.isCollapsed || !selection.rangeCount) return null;
    const range = selection.getRangeAt(0);
    const host = (range.startContainer.nodeType === 1 ? range.startContainer : range.startContainer.parentElement).closest("[data-field]");
    if (!host || !host.contains(range.endContainer)) return null;
    const plain = (node) => { const copy = node.cloneNode(true); copy.querySelectorAll("small").forEach((one) => one.remove()); return copy.textContent; };
    const before = document.createRange();
    before.setStart(host, 0);
    before.setEnd(range.startContainer, range.startOffset);
    const words = plain(range.cloneContents());
    const trimmed = words.trim();
    if (!trimmed) return null;
    const lead = words.length - words.trimStart().length;
    const start = Number(host.dataset.from) + points(plain(before.cloneContents())).length + lead;
    return { field: host.dataset.field, start, end: start + points(trimmed).length, surface: trimmed };
  }

  function missed() {
    const { paper, card } = state;
    if (!paper) return;
    const place = selected() || (card.table === "numbers" ? { field: card.field, start: card.start, end: card.end, surface: card.surface } : null);
    state.mode = "missed";
    const draw = (table) => {
      const fields = ["words", ...state.setup.editable[table]];
      const made = form(table, fields, { words: place ? place.surface : "", kind: table === "gains" ? "delta" : "", value: "" }, async (given) => {
        const words = given.get("words");
        const where = place && place.surface === words ? place : found(words);
        if (!where) throw new Error("these words do not stand in title or abstract");
        const values = {};
        for (const name of fields.slice(1)) {
          const value = typed(table, name, given.get(name));
          if (value !== null && !(Array.isArray(value) && !value.length)) values[name] = value;
        }
        const answer = await source.judge({ verdict: "missed", table, paper_id: paper.paper_id, place: where, fields: values, note: given.get("note"), queue: $("queue").value });
        told(answer, answer.claim);
        await show(false);
        $("card").focus({ preventScroll: true });
        say(`Added: ${where.surface}.`);
      }, "Add what was missed");
      const select = el("select", { name: "table" });
      options(select, Object.keys(state.setup.tables).filter((name) => name !== "numbers").map((name) => [name, name]), table);
      select.addEventListener("change", () => draw(select.value).querySelector("select").focus());
      made.insertBefore(el("label", {}, "table", select), made.children[1]);
      $("fields").replaceChildren(made);
      return made;
    };
    draw("gains").querySelector("input").focus();
    say("Add a claim: its words, then what they say. Enter saves, Escape cancels.");
  }

  function found(words) {
    if (!words) return null;
    for (const field of ["abstract", "title"]) {
      const at = state.paper[field].indexOf(words);
      if (at >= 0) {
        const start = points(state.paper[field].slice(0, at)).length;
        return { field, start, end: start + points(words).length, surface: words };
      }
    }
    return null;
  }

  // --- keys, always on show ---

  const ACTS = [
    ["a", "Accept", () => judge("accept")], ["r", "Reject", () => judge("reject")],
    ["e", "Edit", async () => edit()], ["m", "Missed", async () => missed()],
    ["s", "Skip", () => judge("skip")], ["u", "Undo", undo],
    ["j", "Next", () => move(1)], ["k", "Back", () => move(-1)],
    ["/", "Search", async () => { $("filters").open = true; $("search").focus(); }],
  ];
  $("bar").replaceChildren(...ACTS.map(([key, name, work]) =>
    el("button", { type: "button", "aria-keyshortcuts": key, on: { click: () => act(work) } }, el("kbd", {}, key.toUpperCase()), name)));

  const typing = (node) => node instanceof HTMLElement && (/^(TEXTAREA|SELECT)$/.test(node.tagName) || (node.tagName === "INPUT" && node.type !== "checkbox"));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && state.mode !== "look") { event.preventDefault(); leave(); return; }
    if (event.key === "Escape" && typing(event.target)) { $("card").focus(); return; }
    if (typing(event.target) || !$("keys").checked) return;
    const found = ACTS.find(([key]) => key === event.key.toLowerCase());
    if (!found || event.repeat) return;
    event.preventDefault();
    act(found[2]);
  });

  $("form").addEventListener("submit", (event) => { event.preventDefault(); act(() => choose()); $("card").focus(); });
  for (const id of ["queue", "table", "check", "rule", "benchmark", "state"]) $(id).addEventListener("change", () => act(() => choose()));
  $("search").addEventListener("change", () => act(() => choose()));

  const theme = (dark) => { document.documentElement.dataset.theme = dark ? "dark" : "light"; };
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  theme(dark.matches);
  dark.addEventListener("change", () => theme(dark.matches));
  $("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme !== "dark"));

  async function linked() {
    const link = /^#claim=([a-z]+)\/(.+)$/.exec(location.hash);
    if (!link || (state.queue[state.at] || {}).claim === link[2]) return false;
    const [, table, claim] = link;
    if (table !== state.table) await load(table);
    if (!state.index.some((one) => one.claim === claim)) return false;
    if (!state.queue.some((one) => one.claim === claim)) {
      $("queue").value = table === "numbers" ? "missed" : "all";
      if (table !== "numbers") $("table").value = table;
      $("state").value = "all";
      for (const id of ["rule", "benchmark", "check", "search"]) $(id).value = "";
      await choose(claim);
    } else {
      state.at = state.queue.findIndex((one) => one.claim === claim);
      await show();
    }
    return true;
  }
  window.addEventListener("hashchange", () => act(linked));

  act(async () => {
    const begun = await source.begin();
    Object.assign(state, { setup: begun.setup, verdicts: begun.verdicts, conflicts: new Set(begun.conflicts) });
    if (window.innerWidth < 640) $("filters").open = false;
    options($("queue"), QUEUES.filter(([name]) => name !== "changed" || begun.setup.since), "flagged");
    const tables = Object.entries(begun.setup.tables).filter(([name]) => name !== "numbers");
    options($("table"), tables.map(([name, count]) => [name, `${name} (${count})`]), "gains");
    await load("gains");
    if (!(await linked())) await choose();
    document.documentElement.dataset.ready = "yes";
    say("");
  });
})();
