/** A certificate that Java's keytool made, and its subject as Java prints it (test/golden/zookeeper/x500-names.json). */
export const certificateFixture = {
  subject: 'CN=Bob \\#1,OU=R\\+D,O=Acme\\, Inc.,C=DE',
  der: Buffer.from(base64().join(''), 'base64'),
};

function base64(): string[] {
  return [
    'MIIBmzCCAUCgAwIBAgIJAPDna45/iAYKMAoGCCqGSM49BAMCMEExCzAJBgNVBAYTAkRFMRMwEQYDVQQKEwpBY21lLCBJbmMuMQww',
    'CgYDVQQLEwNSK0QxDzANBgNVBAMMBkJvYiAjMTAeFw0yNjExMjgwMTI4MjJaFw0yNzAyMjYwMTI4MjJaMEExCzAJBgNVBAYTAkRF',
    'MRMwEQYDVQQKEwpBY21lLCBJbmMuMQwwCgYDVQQLEwNSK0QxDzANBgNVBAMMBkJvYiAjMTBZMBMGByqGSM49AgEGCCqGSM49AwEH',
    'A0IABMnTsKc4mkj2569HhZ4Vb/eS7zWmaItE+8p6KjQFoX/gqt4P10KacTcD9fW7gy8KkYfPDybf8iW9UELYWJy5A62jITAfMB0G',
    'A1UdDgQWBBS5JC33ftygbbd5ZFVvuqtQPCGwnDAKBggqhkjOPQQDAgNJADBGAiEA1VpmrYyJfQb4m5858Dl+axcd7WzksS80M/me',
    'VZGrU9oCIQDtp/X/xh9o8ayBBmzz+qyZdbdU0ZArNeX7WjWrMq0/7w==',
  ];
}
