/** Whether a text names something in a bucket (`s3://BUCKET/KEY`) and not a file of a machine. */
export function isBucketUrl(place: string): boolean {
  return place.startsWith("s3://");
}
