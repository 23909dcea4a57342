/** The style of the page at `/`. */
export const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --good: #2a9d4a; --bad: #d33; --busy: #c80; --link: #48f }
* { box-sizing: border-box }
body { font: 14px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1400px; padding: 1rem 1.5rem 3rem }
h1 { font-size: 1.3rem; margin: 0 } h2 { font-size: 1rem; margin: 1.6rem 0 .4rem } h3 { font-size: .9rem; margin: 1rem 0 .3rem; font-weight: 600 }
header { display: flex; gap: 1rem; align-items: baseline; flex-wrap: wrap } header nav { margin-left: auto }
a { color: inherit } small, .soft { opacity: .7 }
.state { border-radius: 1em; padding: .1em .8em; color: #fff; background: var(--busy); white-space: nowrap }
.state.RUNNING { background: var(--good) } .state.ERROR, .state.PENDING_ERROR, .state.DEAD, .state.lost { background: var(--bad) }
.figures { display: flex; gap: 1rem; flex-wrap: wrap; margin: .8rem 0 }
.figure { background: var(--soft); border-radius: 8px; padding: .5rem .9rem; min-width: 9rem }
.figure b { display: block; font-size: 1.35rem; font-variant-numeric: tabular-nums }
.cards { display: flex; gap: .7rem; flex-wrap: wrap }
.card { border: 1px solid var(--line); border-radius: 8px; padding: .5rem .8rem; min-width: 15rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .25em .8em .25em 0; border-bottom: 1px solid var(--line) }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums }
.bar { display: inline-block; width: 10rem; height: .6em; border-radius: .3em; background: var(--soft); overflow: hidden; vertical-align: baseline }
.bar i { display: block; height: 100%; background: var(--busy) } .bar.good i { background: var(--good) }
.scroll { overflow: auto; background: var(--soft); border-radius: 8px; padding: .7rem; max-height: 75vh }
svg { display: block } svg text { font: 11px ui-monospace, monospace; fill: currentColor } svg .sub { font-weight: 600; font-size: 12px }
svg .figures { opacity: .75 } svg .box { fill: none; stroke: var(--line); stroke-dasharray: 4 4 }
svg .node rect { fill: Canvas; stroke: #8888 } svg .node { cursor: pointer } svg .node.stateful rect { stroke: var(--busy); stroke-width: 1.5 }
svg .node.source rect, svg .node.sink rect { stroke: var(--link); stroke-width: 1.5 } svg .node.chosen rect { stroke-width: 3 }
svg .topic rect { fill: #48f2; stroke: none } svg .topic.behind rect { fill: #c803 }
svg path { fill: none; stroke: #8886; stroke-width: 1.2 } svg path.live { stroke: var(--good); stroke-dasharray: 6 5; animation: flow .6s linear infinite }
svg polyline { fill: none; stroke: var(--link); stroke-width: 1.3 }
@keyframes flow { to { stroke-dashoffset: -11 } }
@media (prefers-reduced-motion: reduce) { svg path.live { animation: none } }
[data-part=detail] { margin-top: .5rem }
`;
