"""Finding words in everything that lies somewhere, whatever it is packed in; shares no code with the eraser.

`packing` opens bytes, `sqlite` database files, `places` walks buckets and folders.
"""

from tests.scanner.packing import raw_words_in, words_in
from tests.scanner.places import scan_bucket, scan_folder

__all__ = ["raw_words_in", "scan_bucket", "scan_folder", "words_in"]
