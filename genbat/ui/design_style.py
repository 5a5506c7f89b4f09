"""Style of Design's own parts."""

STYLE = """<style>
.gb-question { font-size: 1.08rem; margin: 0; }
.gb-board { width: 100%; border-collapse: collapse; font-size: 0.86rem; }
.gb-board th { text-align: left; font-weight: 500; opacity: 0.7;
  padding: 0.15rem 0.5rem 0.15rem 0; }
.gb-board td { padding: 0.15rem 0.5rem 0.3rem 0; font-variant-numeric: tabular-nums; }
</style>"""
