/**
 * Example lines as the makers of the formats publish them.
 *
 * S3: Amazon S3 User Guide, "Amazon S3 server access log format" (docs.aws.amazon.com).
 */
export const s3Lines = [
  "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket1 " +
    "[06/Feb/2019:00:00:38 +0000] 192.0.2.3 " +
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be 3E57427F3EXAMPLE " +
    'REST.GET.VERSIONING - "GET /amzn-s3-demo-bucket1?versioning HTTP/1.1" 200 - 113 - 7 - "-" ' +
    '"S3Console/0.4" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31' +
    "234= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader " +
    "amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com TLSV1.2 " +
    "arn:aws:s3:us-west-1:123456789012:accesspoint/example-AP Yes",
  "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be mybucket " +
    "[06/Feb/2014:00:01:57 +0000] 192.0.2.3 " +
    "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be DD6CC733AEXAMPLE " +
    'REST.PUT.OBJECT s3-dg.pdf "PUT /mybucket/s3-dg.pdf HTTP/1.1" 200 - - 4406583 41754 28 "-" ' +
    '"S3Console/0.4" -',
] as const;

/** Amazon CloudFront Developer Guide, example of a standard log file. */
export const cloudFrontLines = [
  "#Version: 1.0",
  "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status " +
    "cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id " +
    "x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher " +
    "x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port " +
    "time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len " +
    "sc-range-start sc-range-end",
  "2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t" +
    "/index.html\t200\t-\tMozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)%20AppleWebKit/" +
    "537.36%20(KHTML,%20like%20Gecko)%20Chrome/78.0.3904.108%20Safari/537.36\t-\t-\tHit\t" +
    "SOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\td111111abcdef8.cloudfront.net\t" +
    "https\t23\t0.001\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\tHTTP/2.0\t-\t-\t11040\t" +
    "0.001\tHit\ttext/html\t78\t-\t-",
] as const;

/** Apache HTTP Server documentation, "Log Files": the combined log format, as nginx writes it. */
export const combinedLine =
  '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326 ' +
  '"http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"';

/** A line of the public gateway ipfs.io behind nginx, as measurements of IPFS publish them. */
export const gatewayLine =
  "199.83.232.50 - - [2022-03-21T00:00:58+00:00] " +
  '"GET /ipfs/QmPvt7yHLGpVhd4jVFX6reEZZ34fQRepQ1a1QTsZQBH1hJ/KittyCat3621.png HTTP/1.1" 200 ' +
  '50470 120 12.823 12.820 12.820 MISS "-" "-" *.i.ipfs.io ipfs.io https';

/** One line of an S3 log with what matters to a test. */
export function s3Line(fields: {
  readonly key: string;
  readonly uri?: string;
  readonly at?: string;
  readonly operation?: string;
  readonly status?: number;
  readonly sent?: number;
  readonly size?: number;
  readonly agent?: string;
}): string {
  const { key, at = "06/Feb/2019:00:00:38 +0000", operation = "REST.GET.OBJECT" } = fields;
  const { uri = `/bucket/${key}`, status = 200, sent = 100, size = 100, agent = "curl" } = fields;
  return (
    `owner bucket [${at}] 192.0.2.3 - 3E57427F3EXAMPLE ${operation} ${key} ` +
    `"GET ${uri} HTTP/1.1" ${status} - ${sent} ${size} 7 3 "-" "${agent}" - host= SigV4 - - - -`
  );
}
