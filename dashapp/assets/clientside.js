// The view (ticker, range, theme) lives in the URL and in one Store; these functions keep the two the same.
(function () {
  const DEFAULT_RANGE = "2y";
  let shown = "";

  function withChanges(search, changes) {
    const query = new URLSearchParams(search || "");
    Object.entries(changes).forEach(([key, value]) => { if (value) query.set(key, value); });
    const text = query.toString();
    return text ? "?" + text : "";
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    plumbline: {
      // One callback owns both directions, so that no cycle runs across two. The URL is written only when somebody
      // chose something: rewriting it on the way back would trap the back button.
      view: function (search, pathname, ticker, range, shell) {
        const none = window.dash_clientside.no_update;
        const context = window.dash_clientside.callback_context;
        const trigger = context.triggered.map((item) => item.prop_id);
        const query = new URLSearchParams(search || "");
        const byUser = (name) => trigger.length === 1 && trigger[0] === "shell-" + name + ".value";
        // A ticker that the list does not hold comes back as null: the URL keeps the word, the page explains it.
        const tickerInUrl = (query.get("ticker") || "").toUpperCase();
        const rangeInUrl = shell.ranges.includes(query.get("range")) ? query.get("range") : null;
        const chosen = (byUser("ticker") && ticker) || tickerInUrl || ticker || shell.ticker || null;
        const span = (byUser("range") && range) || rangeInUrl || range || DEFAULT_RANGE;
        let target = none;
        if (byUser("ticker") && ticker && ticker !== tickerInUrl) target = withChanges(search, { ticker: ticker });
        if (byUser("range") && range !== rangeInUrl) target = withChanges(search, { range: range });
        const view = { ticker: chosen, range: span };
        const isNews = JSON.stringify(view) !== shown;
        shown = JSON.stringify(view);
        const carried = withChanges("", view);
        const tabs = context.outputs_list[4];
        setTimeout(() => { // on a phone the active tab may lie outside the strip
          const active = document.querySelector(".topbar .nav-link.active");
          if (active) active.scrollIntoView({ block: "nearest", inline: "nearest" });
        }, 100);
        return [
          chosen === ticker ? none : chosen,
          span === range ? none : span,
          target,
          isNews ? view : none,
          tabs.map((item) => item.id.path + carried),
          tabs.map((item) => item.id.path === pathname),
          !(shell.uses[pathname] || []).includes("ticker"),
          !(shell.uses[pathname] || []).includes("range"),
        ];
      },
      // The result that is shown, once it has been painted; a page in the background is never painted.
      drawn: (_content, shown, drawn) => shown === drawn ? window.dash_clientside.no_update : new Promise((resolve) => {
        requestAnimationFrame(() => setTimeout(() => resolve(shown)));
        setTimeout(() => resolve(shown), 300);
      }),
      // Whether another account stands there than should: [result, theme, run]. What is not drawn yet is under way.
      backtestRedraw: (pictured, ...wanted) => {
        const same = !pictured || wanted.every((value, i) => (value ?? null) === (pictured[i] ?? null));
        return same ? window.dash_clientside.no_update : performance.now();
      },
      // The controls of the Frontier tab as one request. While one is being drawn only the newest waits: dragging a
      // slider asks as often as the page can follow.
      frontierRequest: async function (universe, returns, covariance, views, exclude, held, ...rest) {
        const none = window.dash_clientside.no_update;
        const fields = ["max_weight", "min_weight", "min_cash", "max_cash", "max_positions", "min_position", "max_turnover", "min_dividend_yield"];
        const [previous, tickers, sectors] = [rest.pop(), rest.pop(), rest.pop()];
        const lists = window.dash_clientside.callback_context.inputs_list.filter(Array.isArray);
        const byName = (items, values) => Object.fromEntries(items.map((item, i) => [item.id.name, values[i]]));
        const bounds = byName(lists[0], sectors);
        Object.keys(bounds).forEach((name) => { if (!bounds[name] || (bounds[name][0] <= 0 && bounds[name][1] >= 100)) delete bounds[name]; });
        const request = {
          universe: universe, returns: returns, covariance: covariance, views: views || "", exclude: exclude || [], held: held,
          sectors: bounds, tickers: byName(lists[1], tickers),
        };
        fields.forEach((name, i) => { request[name] = rest[i] === undefined || rest[i] === "" ? null : rest[i]; });
        const text = (value) => JSON.stringify(Object.entries(value || {}).filter(([, item]) => item !== null).sort());
        if (!(await this.frontierTurn("request"))) return none;
        if (text(request) === text(this.frontierAsked || previous)) { this.frontierBusy = 0; return none; }
        this.frontierAsked = request;
        return request;
      },
      // Wait until what was asked before is drawn (or half a second); false where something newer came meanwhile.
      frontierTurn: async function (kind) {
        const mine = (this[kind + "Turn"] = (this[kind + "Turn"] || 0) + 1);
        while (performance.now() < (this.frontierBusy || 0)) {
          await new Promise((done) => setTimeout(done, 20));
          if (mine !== this[kind + "Turn"]) return false;
        }
        this.frontierBusy = performance.now() + 500;
        return true;
      },
      // The slider moves the mark at once; the figures below follow as fast as they can.
      frontierSlide: async function (point, pick, previous) {
        const chart = document.querySelector("#frontier-chart .js-plotly-plot");
        const line = chart && chart.data && chart.data.find((trace) => trace.customdata);
        if (line && pick === "frontier" && point) {
          const at = Math.min(point, line.x.length) - 1;
          this.frontierMove({ volatility: line.x[at], expected_return: line.y[at] });
        }
        if (point === previous || !(await this.frontierTurn("slide"))) return window.dash_clientside.no_update;
        return point;
      },
      // Only the open panel is asked, and only once nothing is being dragged.
      frontierPanels: async function (tab, request, point, pick, theme) {
        const none = window.dash_clientside.no_update;
        const outputs = window.dash_clientside.callback_context.outputs_list;
        const mine = (this.panelTurn = (this.panelTurn || 0) + 1);
        await new Promise((done) => setTimeout(done, 150));
        const asked = { request: request, point: point, pick: pick, theme: theme, n: mine };
        return outputs.map((item) => (mine === this.panelTurn && item.id === "frontier-asked-" + tab ? asked : none));
      },
      // A click on a frontier chooses its point.
      frontierPoint: function (click) {
        const none = window.dash_clientside.no_update;
        const point = click && click.points.map((item) => item.customdata).find((number) => Number.isInteger(number));
        return point ? [point, "frontier"] : [none, none];
      },
      // The chosen portfolio is the chart's last trace; moving it does not draw the rest again.
      frontierMove: function (mark) {
        const chart = document.querySelector("#frontier-chart .js-plotly-plot");
        if (!chart || !chart.data || !chart.data.length || !window.Plotly) return;
        const x = mark ? [mark.volatility] : [], y = mark ? [mark.expected_return] : [];
        const last = chart.data[chart.data.length - 1];
        if (JSON.stringify([last.x, last.y]) === JSON.stringify([x, y])) return;
        window.Plotly.restyle(chart, { x: [x], y: [y] }, [chart.data.length - 1]);
      },
      frontierMark: function (mark) {
        this.frontierBusy = 0; // what was asked is here
        this.frontierMove(mark);
        clearTimeout(this.markTimer);
        this.markTimer = setTimeout(() => this.frontierMove(mark), 400); // a new figure may have been under way
        return mark;
      },
      frontierLink: function (request, point, pick) {
        const query = new URLSearchParams({ request: JSON.stringify(request), point: point, pick: pick });
        return "/frontier?" + query.toString();
      },
      frontierViews: function (returns) { return returns !== "black_litterman"; },
      frontierReset: function () {
        const sectors = window.dash_clientside.callback_context.outputs_list.find(Array.isArray) || [];
        return [100, 0, 0, null, null, null, null, null, [], [], sectors.map(() => [0, 100])];
      },
      // The shapes that somebody drew, by ticker and pane; the guide lines of the panes are ours and have a name. What
      // was drawn in a pane that is not shown now is kept.
      drawings: function (layout, kept, view) {
        const none = window.dash_clientside.no_update;
        const chart = document.querySelector("#technical-chart .js-plotly-plot");
        if (!layout || !view || !view.ticker || !chart) return none;
        const moved = Object.keys(layout).some((key) => key.startsWith("shapes["));
        const shapes = Array.isArray(layout.shapes) ? layout.shapes : moved ? chart.layout.shapes : null;
        if (!shapes) return none;
        const panes = Object.assign({ y: "price" }, ((chart.layout.meta || {}).panes) || {});
        const hidden = ((kept || {})[view.ticker] || []).filter((shape) => !Object.values(panes).includes(shape.pane || "price"));
        const own = shapes.filter((shape) => shape.name !== "level")
          .map((shape) => Object.assign({}, shape, { pane: panes[shape.yref] || "price" }));
        // A copy: Plotly goes on writing to its own objects, and what a Store holds must stay as it is.
        return Object.assign({}, kept, { [view.ticker]: JSON.parse(JSON.stringify(hidden.concat(own))) });
      },
      // What somebody zoomed to, for as long as ticker and range stay.
      zoom: function (layout, view) {
        const none = window.dash_clientside.no_update;
        if (!layout || !view) return none;
        if (layout["xaxis.autorange"]) return {};
        const range = layout["xaxis.range"] || [layout["xaxis.range[0]"], layout["xaxis.range[1]"]];
        return range[0] && range[1] ? { view: view.ticker + " " + view.range, range: range } : none;
      },
      // The runs whose boxes are ticked, in the order of their choice. The address follows, so that it links to them; the page is not
      // laid out anew, and the back button leads to the page before.
      compareChosen: function (selected, before) {
        const none = window.dash_clientside.no_update;
        const kept = before || [];
        const ids = Array.isArray(selected) ? selected.map((row) => row.result_id) : selected && selected.ids;
        if (!ids) return none;
        const found = kept.filter((id) => ids.includes(id)).concat(ids.filter((id) => !kept.includes(id)));
        return JSON.stringify(found) === JSON.stringify(kept) ? none : found;
      },
      compareLink: function (runs) {
        const query = new URLSearchParams(window.location.search);
        if (window.location.pathname !== "/compare") return null;
        query.delete("runs");
        const others = query.toString();
        const text = [others, runs && runs.length ? "runs=" + runs.join(",") : ""].filter(Boolean).join("&");
        window.history.replaceState(window.history.state, "", "/compare" + (text ? "?" + text : ""));
        return text;
      },
      compareNothing: (runs) => !(runs && runs.length),
      compareAsk: function (clicks, runs) { return Boolean(clicks && runs && runs.length); },
      sensitivityLink: function (linked) {  // once another sweep is run, the address names none
        const query = new URLSearchParams(window.location.search);
        if (linked || window.location.pathname !== "/sensitivity" || !query.has("sweep")) return null;
        query.delete("sweep");
        const text = query.toString();
        window.history.replaceState(window.history.state, "", "/sensitivity" + (text ? "?" + text : ""));
        return text;
      },
      nothing: function () { return null; },
      backtestExports: function (shown) { return !shown; },
      download: function (clicks) {
        return clicks ? true : window.dash_clientside.no_update;
      },
      theme: function (clicks) {
        const root = document.documentElement;
        let theme = root.getAttribute("data-bs-theme") || "light";
        if (clicks) {
          theme = theme === "dark" ? "light" : "dark";
          root.setAttribute("data-bs-theme", theme);
          root.setAttribute("data-ag-theme-mode", theme);
          try { localStorage.setItem("plumbline-theme", theme); } catch (error) { /* not kept, still shown */ }
        }
        return theme;
      },
    },
  });

  const functions = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});
  const known = (value) => typeof value === "number" && isFinite(value);
  functions.plumblineNumber = function (value, digits) {
    if (!known(value)) return "–";
    return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })
      .replace("-", "−");
  };
  functions.plumblinePercent = function (value, digits) {
    const rounded = known(value) ? Number((value * 100).toFixed(digits)) || 0 : value;  // no −0.0 %
    return known(value) ? functions.plumblineNumber(rounded, digits) + " %" : "–";
  };
  functions.plumblinePValue = function (value) {
    return known(value) && value < 0.0001 ? "< 0.0001" : functions.plumblineNumber(value, 4);
  };
  functions.plumblineTimes100 = function (value) {
    return known(value) ? value * 100 : null;
  };

  // A spreadsheet would run a text that begins like a formula; numbers are no text and stay as they are.
  functions.plumblineCsvCell = function (params) {
    const value = params.value;
    return typeof value === "string" && /^(\s*[=+\-@＝＋－＠]|[\t\r\n])/.test(value) ? "'" + value : value;
  };

  // One tip for every ⓘ: above it where there is room, else below, and never outside the window.
  const tip = document.createElement("div");
  tip.className = "page-tip";
  tip.id = "page-tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  function explain(event) {
    const icon = event.target.closest && event.target.closest("[data-tip]");
    if (!icon) { tip.hidden = true; return; }
    if (!tip.isConnected) document.body.appendChild(tip);
    tip.textContent = icon.getAttribute("data-tip");
    icon.setAttribute("aria-describedby", tip.id);  // what has the focus is what the tip tells of
    tip.hidden = false;
    const at = icon.getBoundingClientRect();
    const left = Math.min(Math.max(4, at.left + at.width / 2 - tip.offsetWidth / 2), innerWidth - tip.offsetWidth - 4);
    const above = at.top - tip.offsetHeight - 6;
    tip.style.left = left + "px";
    tip.style.top = (above > 4 ? above : at.bottom + 6) + "px";
  }
  ["mouseover", "focusin", "click"].forEach((name) => document.addEventListener(name, explain));
  ["focusout", "scroll"].forEach((name) => document.addEventListener(name, () => { tip.hidden = true; }, true));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") tip.hidden = true; });

  // An opened list takes what is typed: the search field gets the focus as soon as it is there.
  document.addEventListener("click", function (event) {
    if (!event.target.closest || !event.target.closest(".dash-dropdown")) return;
    const focus = (tries) => {
      const field = document.querySelector(".dash-dropdown-search");
      if (field) field.focus();
      else if (tries) setTimeout(() => focus(tries - 1), 60);
    };
    setTimeout(() => focus(10), 60);
  });

  // A button with data-copy copies the text of the element it names; without a clipboard it selects the text instead.
  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("[data-copy]");
    const source = button && document.getElementById(button.getAttribute("data-copy"));
    if (!source) return;
    const label = button.innerHTML;
    const said = (word) => { button.textContent = word; setTimeout(() => { button.innerHTML = label; }, 1500); };
    const select = () => { window.getSelection().selectAllChildren(source); said("Selected: press Ctrl+C"); };
    if (!navigator.clipboard) { select(); return; }
    navigator.clipboard.writeText(source.textContent).then(() => said("Copied"), select);
  });

  // Two buttons with data-scale switch the value axis of the chart in their card.
  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("[data-scale]");
    const chart = button && button.closest(".card").querySelector(".js-plotly-plot");
    if (!chart || !window.Plotly) return;
    button.parentElement.querySelectorAll("[data-scale]").forEach((item) => item.classList.toggle("active", item === button));
    const scale = button.getAttribute("data-scale"); // the ticks that are given belong to the logarithmic axis
    window.Plotly.relayout(chart, { "yaxis.type": scale, "yaxis.tickmode": scale === "log" ? "array" : "auto", "yaxis.autorange": true });
  });
})();
