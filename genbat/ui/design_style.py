"""Style of Design's own parts."""

STYLE = """<style>
[data-stale="true"] { opacity: 1 !important; }
.gb-question { font-size: 1.08rem; margin: 0; }
.gb-board { width: auto; border-collapse: collapse; font-size: 0.86rem; }
.gb-board th { text-align: left; font-weight: 500; opacity: 0.7;
  padding: 0.1rem 1.4rem 0.1rem 0; }
.gb-board td { padding: 0.1rem 1.4rem 0.2rem 0; font-variant-numeric: tabular-nums; }
</style>"""
