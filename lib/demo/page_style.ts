/**
 * The style sheet of the demo's main page.
 *
 * @module
 */

/** The style sheet. Colours are given once, for light and dark. */
export const PAGE_STYLE: string = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f4f4f2, #111214);
  --card: light-dark(#fff, #1a1c1f);
  --line: light-dark(#e2e2de, #2b2e33);
  --track: light-dark(#f4f4f2, #131517);
  --text: light-dark(#1b1c1f, #eceef0);
  --soft: light-dark(#63656c, #9a9ea6);
  --bad: light-dark(#c9252d, #ff7d80);
  --violet: light-dark(#8a3fd0, #c18cff);
  --teal: light-dark(#0b7d74, #35bfb0);
  --blue: light-dark(#2f5bd7, #7ea0ff);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", sans-serif;
  font-variant-numeric: tabular-nums;
}
* { box-sizing: border-box; margin: 0 }
body { background: var(--ground); color: var(--text); max-width: 72rem; margin: auto; padding: 1.25rem }
header { display: flex; flex-wrap: wrap; gap: .5rem 2rem; align-items: center; justify-content: space-between; margin-bottom: 1rem }
h1 { font-size: 1.3rem; display: flex; gap: .55rem; align-items: center; letter-spacing: .01em }
h1 small { font-size: .9rem; font-weight: 400; color: var(--soft) }
nav { display: flex; gap: .25rem; margin-right: auto }
nav a { padding: .25rem .7rem; border-radius: 8px; text-decoration: none; font-weight: 600; font-size: .9rem; color: var(--soft) }
nav a:hover { color: var(--text) } nav a[aria-current] { background: var(--card); color: var(--text); box-shadow: inset 0 0 0 1px var(--line) }
.totals { display: flex; gap: 1.5rem; color: var(--soft) }
.totals b { color: var(--text); font-size: 1.25rem; font-weight: 650 }
#errorsBox.bad, #errorsBox.bad b { color: var(--bad) }
#ended { background: var(--card); border: 1px solid var(--bad); border-radius: 10px; padding: .6rem 1rem; margin-bottom: 1rem }
.card, .panel { background: var(--card); border: 1px solid var(--line); border-radius: 12px }
.deck { display: grid; gap: .75rem; grid-template-columns: repeat(3, 1fr) minmax(14rem, 1.25fr); margin-bottom: .75rem }
[data-upstream=violet] { --hue: var(--violet) } [data-upstream=teal] { --hue: var(--teal) } [data-upstream=blue] { --hue: var(--blue) }
.upstream { display: grid; grid-template-columns: auto 1fr auto; gap: .1rem .75rem; align-items: center; padding: .8rem .9rem }
.upstream h2, th[scope=row] { text-transform: capitalize }
.upstream h2 { font-size: 1rem }
.upstream p { color: var(--soft); font-size: .85rem; white-space: nowrap }
.upstream .state { grid-column: 2; grid-row: 2; color: var(--hue); font-weight: 600 }
.upstream button { grid-column: 3; grid-row: 1 / 3 }
.lamp { grid-row: 1 / 3; width: 14px; height: 14px; border-radius: 50%; background: var(--hue); box-shadow: 0 0 0 4px color-mix(in srgb, var(--hue) 22%, transparent); transition: .3s }
.stopped .lamp { background: none; box-shadow: inset 0 0 0 2px var(--soft) }
.upstream.stopped .state { color: var(--soft) }
button, .segments span { font: inherit; font-weight: 600; font-size: .9rem; color: var(--text); background: var(--track); border: 1px solid var(--line); border-radius: 8px; padding: .45rem .8rem; cursor: pointer }
button span { position: absolute; clip-path: inset(50%); width: 1px; overflow: hidden; white-space: nowrap }
button:hover, .segments label:hover span { border-color: var(--soft) }
button:active { transform: translateY(1px) }
:focus-visible, input:focus-visible + span { outline: 2px solid var(--blue); outline-offset: 2px }
.rates { padding: .6rem .9rem .8rem; min-width: 0 }
.rates legend { float: left; width: 100%; color: var(--soft); font-size: .85rem; margin-bottom: .4rem; padding: 0 }
.segments { clear: both; display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; background: var(--track); border: 1px solid var(--line); border-radius: 9px; padding: 2px }
.segments input { position: absolute; opacity: 0 }
.segments span { display: block; text-align: center; border-color: transparent; padding: .3rem .4rem }
.segments input:checked + span { background: var(--card); border-color: var(--line); box-shadow: 0 1px 3px #0002 }
.panel { padding: .9rem 1rem .6rem; margin-bottom: .75rem }
.caption { display: flex; flex-wrap: wrap; gap: .1rem .75rem; align-items: baseline; margin-bottom: .3rem }
.caption h2 { font-size: 1.05rem }
.caption p { color: var(--soft); flex: 1 1 16rem }
a { color: inherit; text-decoration-color: var(--line); text-underline-offset: 3px }
code, kbd { font: .85em ui-monospace, "Cascadia Mono", Menlo, monospace }
kbd { border: 1px solid var(--line); border-bottom-width: 2px; border-radius: 4px; padding: 0 .35em; background: var(--card) }
table { width: 100%; border-collapse: collapse; table-layout: fixed }
thead th { font-size: .75rem; font-weight: 500; color: var(--soft); text-align: right; padding: .15rem .5rem }
thead th:first-child, thead .time { text-align: left } thead th:first-child { width: 5.5rem; padding-left: 0 }
th:nth-child(3) { width: 6.5rem } th:nth-child(4) { width: 5.5rem } th:nth-child(5) { width: 5.5rem } th:nth-child(6) { width: 5rem }
tbody th { text-align: left; font-weight: 600; font-size: .9rem }
tbody th::before { content: ""; display: inline-block; width: 8px; height: 8px; border-radius: 50%; background: var(--hue); margin-right: .5rem }
tbody td { text-align: right; padding: 3px .5rem }
tbody tr { transition: opacity .3s } tbody tr.stopped { opacity: .45 }
td.time { padding: 3px 0 } canvas { display: block; width: 100%; height: 38px; border-radius: 6px; background: var(--track) }
.share b { font-weight: 650 } .share > i { display: block; height: 3px; border-radius: 2px; background: var(--line); overflow: hidden }
.share i i { display: block; height: 100%; width: 0; background: var(--hue); transition: width .4s }
.median::after { content: attr(data-unit); color: var(--soft) }
footer { color: var(--soft); font-size: .88rem; display: grid; gap: .3rem; padding: .4rem .2rem 1rem } #curl { color: var(--text); user-select: all }
[hidden] { display: none !important }
@media (max-width: 60rem) { .deck { grid-template-columns: repeat(3, 1fr) } .rates { grid-column: 1 / -1 } .upstream { grid-template-columns: auto 1fr } .upstream button { grid-column: 1 / -1; grid-row: 4; margin-top: .5rem } }
@media (max-width: 40rem) {
  body { padding: .8rem } .totals { gap: 1rem } .deck { grid-template-columns: 1fr; gap: .5rem }
  .upstream { grid-template-columns: auto 1fr auto } .upstream button { grid-column: 3; grid-row: 1 / 3; margin: 0 }
  .wide, thead small, .keys { display: none } .panel { padding: .75rem .7rem .4rem } thead th, tbody td { padding-inline: .25rem }
  thead th:first-child { width: 4.4rem } th:nth-child(3) { width: 3.4rem } th:nth-child(4) { width: 3.8rem } th:nth-child(6) { width: 3.2rem }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important } }
`;
