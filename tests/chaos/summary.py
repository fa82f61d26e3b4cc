"""The table of ledgers at the end of a run."""

from chaos.ledger import table


def pytest_terminal_summary(terminalreporter):
    figures = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            for key, value in getattr(report, "user_properties", ()):
                if key == "ledger":
                    figures[report.nodeid.partition("tests/chaos/")[2]] = value
    if figures:
        terminalreporter.section("chaos: what became of each message")
        for line in table(figures.items()):
            terminalreporter.write_line(line)
