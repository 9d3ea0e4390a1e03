/** The pages' one style sheet. Colours meet WCAG AA on their ground, light and dark; nothing is told by colour alone. */
export const style = `
:root { color-scheme: light dark; --ground: #f4f6f9; --card: #ffffff; --ink: #172033; --soft: #586378; --line: #dfe4ec;
  --now: #2f66d0; --old: #a8620a; --good: #1b7a44; --warn: #9a5b00; --bad: #b3261e; --tint: #eaf0fb; }
@media (prefers-color-scheme: dark) { :root { --ground: #10141b; --card: #191f29; --ink: #e7ebf3; --soft: #9ba7bb;
  --line: #2c3544; --now: #7ba6ff; --old: #f0b35a; --good: #63c78d; --warn: #f0b35a; --bad: #ff8a80; --tint: #1f2a3d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main, header, footer { max-width: 1180px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 32px; } footer { padding: 24px; color: var(--soft); font-size: 13px; }
h1 { font-size: 28px; line-height: 1.2; margin: 0 0 4px; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 36px 0 12px; } h3 { font-size: 15px; margin: 0; overflow-wrap: anywhere; }
p { margin: 4px 0; } a { color: var(--now); text-decoration: none; } a:hover, a:focus { text-decoration: underline; }
code, .number, td.n, th.n { font-variant-numeric: tabular-nums; }
code { font: 13px ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
.soft { color: var(--soft); } .small { font-size: 13px; }
.card, .panel { background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
.panel { padding: 4px 16px; overflow-x: auto; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 12px; margin: 20px 0 12px; padding: 0; }
.tiles > div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 16px; }
.tiles dt { color: var(--soft); font-size: 13px; } .tiles dd { margin: 0; font-size: 20px; font-weight: 600; }
.tiles dd small { font-size: 13px; font-weight: 400; color: var(--soft); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 0; padding: 12px 0; }
.facts dt { color: var(--soft); } .facts dd { margin: 0; overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 350px), 1fr)); gap: 16px; }
.card { padding: 14px 16px 12px; min-width: 0; break-inside: avoid; scroll-margin-top: 16px; }
.card:target { outline: 2px solid var(--now); }
.card > header { padding: 0; display: flex; gap: 8px; align-items: baseline; justify-content: space-between; }
.badges { display: flex; gap: 6px; flex: none; flex-wrap: wrap; justify-content: flex-end; }
.badge { font-size: 12px; line-height: 18px; padding: 0 8px; border-radius: 9px; border: 1px solid var(--line); color: var(--soft); white-space: nowrap; }
.badge.role { background: var(--tint); border-color: transparent; color: var(--now); }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.badge.good, .badge.warn, .badge.bad { border-color: currentColor; font-weight: 600; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--soft); font-size: 13px; padding: 8px 0 2px; }
th { text-align: left; font-weight: 500; color: var(--soft); font-size: 13px; } thead th { white-space: nowrap; }
th, td { padding: 6px 12px 6px 0; border-bottom: 1px solid var(--line); vertical-align: middle; }
tr:last-child > * { border-bottom: 0; } td.n, th.n { text-align: right; } td { overflow-wrap: anywhere; }
.panel td.n { white-space: nowrap; } tbody th { color: var(--ink); font-size: 15px; }
.card table { margin-top: 8px; font-size: 13px; } .card th, .card td { padding: 2px 8px 2px 0; border: 0; }
.card td + th { padding-left: 14px; } .fixed { table-layout: fixed; }
th.n + th:not(.n), td.n + td:not(.n) { padding-left: 16px; }
.card tbody th { font-size: 13px; font-weight: 400; color: var(--soft); } .card td.n, .card th.n { padding-right: 0; }
svg { display: block; width: 100%; height: auto; overflow: visible; } figure { margin: 10px 0 0; }
svg text { fill: var(--soft); font-size: 11px; } .axis { stroke: var(--line); stroke-width: 1; }
.bar { fill: var(--now); } .past { fill: none; stroke: var(--old); stroke-width: 1.6; stroke-dasharray: 4 2; }
.pair .bar { fill-opacity: .45; } .spark { width: 120px; height: 24px; } .minus { fill: var(--bad); }
.values { display: grid; grid-template-columns: minmax(70px, max-content) 1fr max-content; gap: 4px 10px; margin: 10px 0 0; padding: 0; font-size: 13px; align-items: center; }
.values dt { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 150px; } .values dd { margin: 0; }
.track { height: 8px; border-radius: 4px; background: var(--tint); } .track + .track { margin-top: 2px; }
.track i { display: block; height: 100%; border-radius: 4px; background: var(--now); }
.track i.then { background: repeating-linear-gradient(90deg, var(--old) 0 4px, transparent 4px 6px); }
.diverging { position: relative; height: 10px; background: linear-gradient(90deg, transparent calc(50% - .5px), var(--soft) 0 calc(50% + .5px), transparent 0); min-width: 160px; }
.diverging i { position: absolute; height: 100%; background: var(--now); } .diverging i.minus { background: var(--bad); }
.withheld { color: var(--soft); font-style: italic; padding: 18px 0; text-align: center; }
.legend { display: flex; gap: 20px; color: var(--soft); font-size: 13px; margin: 0 0 12px; } .legend svg { display: inline-block; width: 26px; height: 12px; vertical-align: -1px; margin-right: 6px; }
@media print { body { background: none; } .cards { grid-template-columns: 1fr 1fr; } }
@media (max-width: 560px) { main, header, footer { padding-left: 12px; padding-right: 12px; } .facts { grid-template-columns: 1fr; } .facts dd { margin-bottom: 6px; } }
`;
