/**
 * The style sheet of the WebSocket page, in addition to that of the main page.
 *
 * @module
 */

/** The style sheet; it comes after `PAGE_STYLE`. */
export const SOCKET_PAGE_STYLE: string = `
[data-hue="0"] { --hue: var(--violet) } [data-hue="1"] { --hue: var(--teal) } [data-hue="2"] { --hue: var(--blue) }
.deck-2 { grid-template-columns: repeat(2, 1fr) minmax(14rem, 1.25fr) }
.route { display: grid; gap: .35rem; align-content: center; padding: .6rem .9rem; color: var(--soft); font-size: .85rem; min-width: 0 }
select, input:not([type=checkbox]) { font: inherit; font-size: .9rem; color: var(--text); background: var(--track); border: 1px solid var(--line); border-radius: 8px; padding: .42rem .6rem; width: 100%; min-width: 0 }
select { font-weight: 600; padding-right: .2rem } input::placeholder { color: var(--soft) } input:user-invalid { border-color: var(--bad) }
button { white-space: nowrap } button:disabled { opacity: .45; cursor: default } button.main { background: var(--text); color: var(--card); border-color: transparent }
.views { display: grid; grid-template-columns: minmax(0, 1.35fr) minmax(0, 1fr); gap: .75rem; align-items: stretch }
.panel { padding: .9rem 1rem 1rem; display: flex; flex-direction: column; gap: .7rem; margin: 0 }
.caption { margin: 0 } .caption p { font-size: .9rem }
.bar { display: flex; flex-wrap: wrap; gap: .5rem; align-items: end } .grow { flex: 1 1 8rem } .code { width: 4.6rem }
.bar label > span { display: block; color: var(--soft); font-size: .78rem; margin-bottom: .15rem }
.check { display: flex; gap: .4rem; align-items: center; padding-bottom: .45rem; font-size: .9rem } .check input { accent-color: var(--text); width: 1rem; height: 1rem }
.hops:not([data-hue]) { --hue: var(--soft) }
.hops { display: grid; grid-template-columns: auto 1fr auto 1fr auto; align-items: center; font-size: .85rem; font-weight: 600 }
.hops > span, .hops > b { border: 1px solid var(--line); border-radius: 99px; padding: .3rem .85rem; background: var(--track) }
.hops > b::first-letter { text-transform: uppercase } .hops > b { min-width: 6rem; text-align: center; color: var(--soft); border-style: dashed; transition: .25s }
.hops > i { position: relative; height: 2px; background: repeating-linear-gradient(90deg, var(--line) 0 5px, transparent 5px 10px); transition: .25s }
.hops[data-state=open] > b { border: 1px solid var(--hue); color: var(--hue); background: color-mix(in srgb, var(--hue) 12%, var(--card)) }
.hops[data-state=open] > i { background: color-mix(in srgb, var(--hue) 45%, var(--line)) }
.hops > i > i { position: absolute; width: 9px; height: 9px; top: -3.5px; border-radius: 50%; background: var(--hue); animation: travel .32s linear both }
.hops > i > i.later { animation-delay: .3s; opacity: 0 } .hops > i > i.back { animation-direction: reverse }
@keyframes travel { from { left: 0; opacity: 1 } to { left: calc(100% - 9px); opacity: 1 } }
.standing { display: flex; gap: .75rem; align-items: center; justify-content: space-between; min-height: 1.9rem; font-size: .9rem; color: var(--soft) }
.standing b { color: var(--text) } #wait { display: flex; gap: .6rem; align-items: center }
#wait > i { width: 6rem; height: 4px; border-radius: 2px; background: var(--line); overflow: hidden } #wait-bar { display: block; height: 100%; background: var(--text); transform-origin: left }
#wait button { padding: .15rem .6rem; font-size: .82rem }
.log { list-style: none; padding: .35rem; flex: 1 1 13rem; height: 13rem; overflow: auto; background: var(--track); border: 1px solid var(--line); border-radius: 9px; font-size: .87rem; overscroll-behavior: contain }
.log li { display: grid; grid-template-columns: 5.1rem 1.2rem minmax(0, 1fr) auto; gap: .1rem .5rem; padding: .16rem .4rem; border-radius: 3px; overflow-wrap: allSites; border-left: 3px solid var(--hue, transparent) }
.log time, .log small { color: var(--soft); font: .92em ui-monospace, "Cascadia Mono", Menlo, monospace } .log small { text-align: right }
.log li > b { text-align: center; color: var(--hue, var(--soft)) } .log .close { background: color-mix(in srgb, var(--bad) 9%, transparent); border-color: var(--bad) } .log .close > b { color: var(--bad) }
.log details { grid-column: 3 / -1; color: var(--soft) } .log summary { cursor: pointer } .log pre { white-space: pre-wrap; font: .9em ui-monospace, "Cascadia Mono", Menlo, monospace }
.log .note { color: var(--soft) } .log:empty::before { content: "Nothing has happened yet. Press Connect."; display: grid; place-items: center; height: 100%; color: var(--soft) }
.spread { display: grid; grid-template-columns: 1.4rem 1fr 5.6rem; flex: 1; min-height: 22rem }
#dots, #shares { list-style: none; padding: 0; display: grid; grid-auto-rows: 1fr } #dots li { display: grid }
#dots button { padding: 0; border: 0; background: none; border-radius: 6px; display: grid; place-items: center; min-height: 1rem }
#dots button::before { content: ""; width: 11px; height: 11px; border-radius: 50%; border: 2px solid var(--line); transition: .25s }
#dots [data-hue] button::before { background: var(--hue); border-color: var(--hue) } #dots .waiting button::before { border-color: var(--soft); border-style: dotted }
#dots .ring button::before { box-shadow: 0 0 0 4px color-mix(in srgb, var(--hue) 35%, transparent) } #dots button:hover::before { transform: scale(1.25) }
#strands { width: 100%; height: 100%; overflow: visible } #strands path { fill: none; stroke: var(--line); stroke-width: 2; stroke-linecap: round; transition: d .45s ease-in-out, stroke .3s, stroke-width .15s }
#strands [data-hue] { stroke: var(--hue); stroke-opacity: .8 } #strands .ring { stroke-width: 4.5; stroke-opacity: 1 }
#shares li { display: flex; flex-direction: column; justify-content: center; padding-left: .7rem; position: relative; transition: opacity .3s } #shares li.stopped { opacity: .45 }
#shares li::before { content: ""; position: absolute; left: 0; top: 8%; bottom: 8%; width: 4px; border-radius: 2px; background: color-mix(in srgb, var(--hue) 45%, var(--line)) }
#shares b { font-size: 1.6rem; line-height: 1.1; font-weight: 650 } #shares span { text-transform: capitalize; font-weight: 600; color: var(--hue) } #shares small { color: var(--soft) }
.hint { color: var(--soft); font-size: .82rem } main { margin-bottom: .75rem }
@media (max-width: 60rem) { .views { grid-template-columns: minmax(0, 1fr) } .route { grid-column: 1 / -1 } .deck-2 { grid-template-columns: repeat(2, 1fr) } }
@media (max-width: 40rem) {
  .deck { grid-template-columns: repeat(3, minmax(0, 1fr)) } .deck-2 { grid-template-columns: repeat(2, minmax(0, 1fr)) } .upstream { grid-template-columns: auto 1fr; padding: .65rem .7rem } .upstream button { grid-column: 1 / -1; grid-row: 4; margin-top: .5rem }
  #connection .grow { flex-basis: 100% } .check { flex: 1 } .log details { grid-column: 2 / -1 } .panel { padding: .75rem .7rem .8rem } .hops { font-size: .8rem } .hops > span, .hops > b { padding: .25rem .6rem } .hops > b { min-width: 5.2rem }
  .log li { grid-template-columns: 1.2rem minmax(0, 1fr) auto } .log time { display: none } select, input:not([type=checkbox]) { font-size: 16px } #sending button, #closing button, .many .bar button { flex: 1 }
}
@media (prefers-reduced-motion: reduce) { .hops > i > i { display: none } }
`;
