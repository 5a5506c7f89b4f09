"""Style of Interpolate's own parts."""

from genbat.ui.interpolate_charts import LEFT, RIGHT

STYLE = f"""<style>
[data-stale="true"] {{ opacity: 1 !important; }}
.gb-end {{ display: flex; align-items: center; gap: 0.7rem; min-height: 70px; }}
.gb-end > b {{ flex: none; width: 1.7rem; height: 1.7rem; border-radius: 50%; display: grid;
  place-items: center; color: #fff; background: #2456c7; }}
.gb-end img {{ flex: none; width: 96px; height: 64px; }}
.gb-end span {{ min-width: 0; overflow-wrap: anywhere; line-height: 1.25; }}
.gb-end small {{ opacity: 0.7; }}
.gb-summary {{ margin: 0.2rem 0 0; font-size: 0.92rem; }}
.gb-now {{ font-size: 0.9rem; }}
.st-key-walk-player {{ margin-top: -0.4rem; }}
[class*="st-key-walk-slider"] {{ padding-left: {LEFT}px;
  padding-right: {RIGHT}px; }}
</style>"""
