"""Tables of text."""

from zoo.commands.tables import measurement, print_table


def test_columns_are_aligned_on_their_left_without_blanks_at_the_end(capsys):
    print_table([("NAME", "SCORES"), ("dcgan", "7.5"), ("gan", "-")])
    assert capsys.readouterr().out == "NAME   SCORES\ndcgan  7.5\ngan    -\n"


def test_a_number_stands_with_its_spread_and_what_it_depends_on():
    record = {"value": 7.54321, "std": 0.123, "sigma": 0.2, "floor": 0.5, "floor_stderr": 0.01, "none": None}
    assert measurement(record) == "7.543 ± 0.12 (sigma 0.2)"
    assert measurement(record, "floor") == "0.5 ± 0.01"
    assert measurement(record, "none") == "-"
