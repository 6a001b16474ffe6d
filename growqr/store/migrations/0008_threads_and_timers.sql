-- What a timer brings counts for the key that set it; a thread tells where it was begun.

alter table timer add column api_key text;
alter table thread add column origin text;
-- A message that was taken back says so; one that was stopped before anybody began stays to be read.
update turn set error = '{"code": "withdrawn", "message": "the message was taken back"}'
 where state = 'cancelled' and started_at is null and error is null;
