-- As the archivist, who alone may.
delete from ledger.tiles where partition = $1
