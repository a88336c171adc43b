"""The gallery: one HTML page of the samples of every model that ships, for a browser, from a file or a web server."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from string import Template

from zoo.results.numbers import number, spread
from zoo.results.records import Record
from zoo.results.tables import parameters

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GAN zoo: gallery</title>
<link rel="icon" href="data:,">
<style>
body { margin: 0 auto; max-width: 76rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; color: #222; }
main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 2rem; }
article { min-width: 0; }
img { width: 100%; height: auto; image-rendering: pixelated; }
h2 { margin: 0 0 .5rem; font-size: 1.2rem; overflow-wrap: anywhere; }
p { margin: .5rem 0; }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th, td { padding: .15rem .5rem .15rem 0; text-align: left; font-weight: normal; border-top: 1px solid #ddd; }
code { font-size: .85rem; overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>GAN zoo: gallery</h1>
<p>Every picture shows the first seeds of a model that ships with the zoo, none of them chosen: <code>zoo sample NAME
--seeds 0-63</code>; of a model with classes, eight seeds of each class. A walk leads through the latent space from seed
to seed. The neighbours are the training images nearest to the sample at the left of each row, by the features of a
classifier: a copy among the samples would stand beside its original. The curves are those of the training, where they
were kept. Beside each score stands that of real test images in the place of the samples.</p>
<main>
$articles
</main>
</body>
</html>
""")
ARTICLE = Template("""<article id="$name">
<h2>$name</h2>
<img src="../pretrained/$name/samples.png" alt="Samples of $name" loading="lazy" width="530" height="530">
$pictures
<p>$model on $dataset. $paper</p>
<table>
<tr><th scope="col">score</th><th scope="col">value</th><th scope="col">real images</th></tr>
$scores
</table>
<p>$parameters parameters; <a href="../pretrained/$name/card.json">card</a></p>
<p><code>$command</code></p>
</article>""")

PICTURE = Template("""<details><summary>$title</summary>
<img src="../$path" alt="$title of $name" loading="lazy"></details>""")
PICTURES = {
    "Walk": "docs/walks/$name.png",
    "Nearest neighbours": "scores/$name/neighbours.png",
    "Curves": "docs/curves/$name.png",
}


def gallery(records: Sequence[Record], root: Path) -> str:
    """The page, with an article for every record whose artefact has a picture of samples.

    Args:
        records: all records.
        root: a checkout of the zoo, where the page is `docs/gallery.html`.
    """
    shown = [record for record in records if (root / "pretrained" / record.name / "samples.png").is_file()]
    return PAGE.substitute(articles="\n".join(_article(record, root) for record in shown))


def _article(record: Record, root: Path) -> str:
    facts = record.facts
    rows = [
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells) + "</tr>"
        for cells in ((str(score["score"]), spread(score), number(score, "floor")) for score in record.scores)
    ]
    texts = {
        "name": record.name,
        "model": facts.get("model", "-"),
        "dataset": facts.get("dataset", "-"),
        "paper": facts.get("paper", ""),
        "parameters": parameters(facts),
        "command": facts.get("command", "-"),
    }
    texts = {name: html.escape(str(text)) for name, text in texts.items()}
    paths = {title: Template(path).substitute(texts) for title, path in PICTURES.items()}
    pictures = [
        PICTURE.substitute(texts, title=title, path=path) for title, path in paths.items() if (root / path).is_file()
    ]
    return ARTICLE.substitute(texts, scores="\n".join(rows), pictures="\n".join(pictures))
